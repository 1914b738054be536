#!/usr/bin/env node
import { findLibraryBundle, type LibraryEntries } from "@millrace/client/library-bundle";
import { prestartProgram } from "@millrace/client/prestarted-program";
// Not by way of what imports the library: until it is known that the command needs it, it is not loaded.
import { exitCodes } from "./exit-code-values.js";
import { submitsToCluster } from "./submits-to-cluster.js";

// The reader of a pipe (`| head`) has gone: nobody wants the rest.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.cancelled);
  throw error;
});

const library = bundledLibrary();
// A job's program gets a thread of its own, which starts while the command is loaded.
const prestarted = library?.command === undefined ? undefined : prestartProgram(library.program);
const { runCommandLine } = (await import(library?.command ?? "./command-line.js")) as typeof import("./command-line.js");
process.exitCode = await runCommandLine(process.argv, prestarted);

/** A job that runs elsewhere needs nothing of the library in this thread, so the command may come in a few files, which halves its start. */
function bundledLibrary(): LibraryEntries | undefined {
  if (!submitsToCluster(process.argv.slice(2))) return undefined;
  try {
    return findLibraryBundle({ millrace: import.meta.resolve("millrace") });
  } catch {
    return undefined;
  }
}
