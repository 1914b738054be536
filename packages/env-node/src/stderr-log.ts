import type { LogSink } from "@millrace/core";

/** Writes each line to standard error, after the time and the level. */
export class StderrLog implements LogSink {
  write(level: "debug" | "info" | "warn" | "error", line: string): void {
    process.stderr.write(`${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${line}\n`);
  }
}
