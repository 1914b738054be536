import type { LogSink } from "@millrace/core";

/** A cluster process's log: time, level and message to standard error; what jobs print to standard output. */
export const processLog: LogSink = {
  write(level, line) {
    if (level === "print") process.stdout.write(`${line}\n`);
    else if (level !== "debug") process.stderr.write(`${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${line}\n`);
  },
};
