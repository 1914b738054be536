import type { RecordBatch } from "@millrace/core";
import type { CheckpointOptions } from "../protocol/deployment.js";

const NO_OPTIONS: CheckpointOptions = {};

/** A checkpoint barrier: separates the records of one checkpoint from those of the next. */
export class Barrier {
  readonly checkpointId: number;
  /** When the checkpoint was triggered, for the start-delay metric. */
  readonly timestampMs: number;
  readonly options: CheckpointOptions;

  constructor(checkpointId: number, timestampMs: number, options: CheckpointOptions = NO_OPTIONS) {
    this.checkpointId = checkpointId;
    this.timestampMs = timestampMs;
    this.options = options;
  }
}

/** No more records or watermarks come; barriers still may, while the sender waits for its last checkpoint. Flink: EndOfData. */
export class EndOfInput {
  static readonly instance: EndOfInput = new EndOfInput();
  /** Makes the two ends different types. */
  readonly kind = "end" as const;
}

/** The last element of a channel: its sender has finished. Flink: EndOfPartitionEvent. */
export class EndOfChannel {
  static readonly instance: EndOfChannel = new EndOfChannel();
  readonly kind = "close" as const;
}

/** What waits in a channel: a batch (still encoded when it came from another thread) or an event between batches. */
export type ChannelElement = RecordBatch | ArrayBuffer | ChannelEvent;
export type ChannelEvent = Barrier | EndOfInput | EndOfChannel;
