import type { Sink, SinkWriter, SinkWriterContext } from "@millrace/core";
import { formatRecord } from "./format-record.js";

/** Writes a line per record: `prefix:subtask> record` (1-based subtask, only in parallel), as Flink's print does. */
export class PrintSink<T> implements Sink<T> {
  readonly description: string;
  readonly level: "print" | "warn";
  readonly prefix: string | undefined;

  constructor(level: "print" | "warn" = "print", prefix?: string) {
    this.level = level;
    this.prefix = prefix;
    this.description = level === "print" ? "Print to Std. Out" : "Print to Std. Err";
  }

  createWriter(context: SinkWriterContext): SinkWriter<T> {
    const { level } = this;
    const label = [this.prefix, context.parallelism > 1 ? String(context.subtaskIndex + 1) : undefined].filter((part) => part !== undefined && part !== "").join(":");
    const before = label === "" ? "" : `${label}> `;
    return { write: (value) => context.log(level, before + formatRecord(value)), flush() {}, close() {} };
  }
}
