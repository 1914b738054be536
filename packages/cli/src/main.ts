#!/usr/bin/env node
// Nothing here imports the library: until it is known that the command needs it, it is not loaded.
import { earlyLibrary, startEarly } from "./early-start.js";
import { exitCodes } from "./exit-code-values.js";
import { readRun } from "./read-run.js";

// The reader of a pipe (`| head`) has gone: nobody wants the rest.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.cancelled);
  throw error;
});

const run = readRun(process.argv.slice(2));
// A job that does not run in this thread needs nothing of the library here, so the command may come in a few files, which halves its start.
const library = run === undefined ? undefined : earlyLibrary();
const early = library?.command === undefined ? undefined : await startEarly(library, run!);
const { runCommandLine } = (await import(library?.command ?? "./command-line.js")) as typeof import("./command-line.js");
process.exitCode = await runCommandLine(process.argv, early);
