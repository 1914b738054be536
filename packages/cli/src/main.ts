#!/usr/bin/env node
import { runCommandLine } from "./command-line.js";
import { exitCodes } from "./exit-codes.js";

// The reader of a pipe (`| head`) has gone: nobody wants the rest.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.cancelled);
  throw error;
});

process.exitCode = await runCommandLine(process.argv);
