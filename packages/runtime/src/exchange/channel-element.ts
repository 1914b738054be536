import type { RecordBatch } from "@millrace/core";

/** A checkpoint barrier: separates the records of one checkpoint from those of the next. */
export class Barrier {
  readonly checkpointId: number;
  /** When the checkpoint was triggered, for the start-delay metric. */
  readonly timestampMs: number;

  constructor(checkpointId: number, timestampMs: number) {
    this.checkpointId = checkpointId;
    this.timestampMs = timestampMs;
  }
}

/** The last element of a channel. */
export class EndOfInput {
  static readonly instance: EndOfInput = new EndOfInput();
}

/** What waits in a channel: a batch (still encoded when it came from another thread) or an event between batches. */
export type ChannelElement = RecordBatch | ArrayBuffer | Barrier | EndOfInput;
export type ChannelEvent = Barrier | EndOfInput;
