import type { LogSink } from "@millrace/core";

/** `print` lines go to standard output as they are; everything else to standard error. */
export const consoleLog: LogSink = {
  write(level, line) {
    if (level === "print") process.stdout.write(`${line}\n`);
    else if (level === "warn") process.stderr.write(`WARN  ${line}\n`);
    else process.stderr.write(`${line}\n`);
  },
};
