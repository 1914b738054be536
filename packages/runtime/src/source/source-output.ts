import { NO_TIMESTAMP, RecordBatch } from "@millrace/core";
import type { ReaderOutput } from "@millrace/core";
import type { SourceBuffer } from "./source-buffer.js";
import type { SplitWatermarks } from "./source-watermarks.js";

/** What a reader writes to, for one split (or for all when it does not tell them apart). */
export class SourceOutput<T> implements ReaderOutput<T> {
  readonly watermarks: SplitWatermarks<T>;
  private readonly buffer: SourceBuffer<T>;

  constructor(buffer: SourceBuffer<T>, watermarks: SplitWatermarks<T>) {
    this.buffer = buffer;
    this.watermarks = watermarks;
  }

  collect(value: T, timestampMs?: number): void {
    const buffer = this.buffer;
    if (buffer.owner !== this) buffer.switchTo(this);
    const at = buffer.count;
    buffer.values[at] = value;
    buffer.timestampsMs[at] = timestampMs === undefined ? NO_TIMESTAMP : timestampMs;
    buffer.count = at + 1;
    if (at + 1 === buffer.capacity) buffer.flush();
  }

  collectBatch(values: T[], timestampsMs: Float64Array | null): void {
    this.buffer.flush();
    this.buffer.owner = this;
    if (values.length === 0) return;
    this.buffer.emit(timestampsMs === null ? RecordBatch.withoutTimestamps(values) : new RecordBatch(values, timestampsMs));
  }

  collectGenerated(generate: (index: number) => T, first: number, count: number): void {
    this.buffer.flush();
    this.buffer.owner = this;
    if (count > 0) this.buffer.emitGenerated(generate, first, count);
  }

  sideOutput(tagId: string, value: unknown, timestampMs?: number): void {
    this.buffer.flush();
    this.buffer.sideOutput(tagId, value, timestampMs ?? NO_TIMESTAMP);
  }

  forSplit(splitId: string): ReaderOutput<T> {
    return this.buffer.outputOf(splitId);
  }

  releaseSplit(splitId: string): void {
    this.buffer.release(splitId);
  }

  get full(): boolean {
    return this.buffer.full;
  }
}
