import type { LogSink } from "@millrace/core";
import { logLine } from "../inspection/process-logging.js";

/** The log of a cluster process that writes no files: time, level and message to standard error; what jobs print to standard output. */
export const processLog: LogSink = {
  write(level, line) {
    if (level === "print") process.stdout.write(`${line}\n`);
    else if (level !== "debug") process.stderr.write(logLine(level, line));
  },
};
