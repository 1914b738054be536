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

  /** It overtakes the records before it. */
  get unaligned(): boolean {
    return this.options.unalignedAfterMs === 0;
  }

  /** The same barrier, once it overtakes. */
  overtaking(): Barrier {
    return this.unaligned ? this : new Barrier(this.checkpointId, this.timestampMs, { ...this.options, unalignedAfterMs: 0 });
  }

  /** How long from `nowMs` until it overtakes; `undefined`: it never does. */
  overtakesInMs(nowMs: number): number | undefined {
    const { unalignedAfterMs } = this.options;
    return unalignedAfterMs === undefined ? undefined : Math.max(0, this.timestampMs + unalignedAfterMs - nowMs);
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
