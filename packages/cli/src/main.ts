#!/usr/bin/env node
import { findLibraryBundle } from "@millrace/client/library-bundle";
import { exitCodes } from "./exit-codes.js";
import { submitsToCluster } from "./submits-to-cluster.js";

// The reader of a pipe (`| head`) has gone: nobody wants the rest.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.cancelled);
  throw error;
});

const { runCommandLine } = (await import(bundledCommand() ?? "./command-line.js")) as typeof import("./command-line.js");
process.exitCode = await runCommandLine(process.argv);

/** A job that runs elsewhere needs nothing of the library in this thread, so the command may come in a few files, which halves its start. */
function bundledCommand(): string | undefined {
  if (!submitsToCluster(process.argv.slice(2))) return undefined;
  try {
    return findLibraryBundle({ millrace: import.meta.resolve("millrace") })?.command;
  } catch {
    return undefined;
  }
}
