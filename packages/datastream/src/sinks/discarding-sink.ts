import type { Sink, SinkWriter } from "@millrace/core";

/** Drops everything. Flink: DiscardingSink. */
export class DiscardingSink<T> implements Sink<T> {
  readonly description: string = "Discard";

  createWriter(): SinkWriter<T> {
    return { write() {}, flush() {}, close() {} };
  }
}
