import { MillraceError } from "@millrace/core";
import type { KeySelector, PartitionFn } from "@millrace/core";
import { keyGroupOf, keyHash } from "@millrace/core";
import type { Partitioner } from "@millrace/graph";
import type { InFlightData } from "../checkpoint/in-flight-data.js";
import type { Barrier, ChannelEvent } from "./channel-element.js";
import { keyFailure } from "./key-failure.js";
import type { OutputChannel } from "./output-channel.js";

/** How one output edge chooses among its channels. */
export interface WriterPlan {
  readonly partitioner: Partitioner;
  readonly subtaskIndex: number;
  /** Of the target. */
  readonly maxParallelism: number;
  /** Name of the operator that the edge leads to, for messages. */
  readonly targetName: string;
  readonly random: () => number;
  /** Barriers may overtake records on this edge. */
  readonly overtakable: boolean;
}

/** Adds records up before they are sent, when the operator behind the edge would add them up anyway. */
export interface EdgeCombiner {
  /** While it is not 0, a record is sent as it is, and counted down here, in place of being added. */
  resting: number;
  /** Records that were added up, and the sums that were sent in their place, since the attempt began. */
  readonly recordsCombined: number;
  readonly sumsOut: number;
  add(value: unknown, timestampMs: number, hash: number): void;
  /** Passes on what it will not hold. */
  settle(): void;
  /** Before a watermark is sent. */
  watermark(timestampMs: number): void;
  /** Before a status is sent. */
  status(idle: boolean): void;
  /** Sends all it holds, before an event is sent. */
  flush(): void;
}

/** Gets the channels by key group. */
export type MakeCombiner = (channelOfKeyGroup: Int32Array) => EdgeCombiner;

/** One output edge of a task: its channels, and the choice among them. */
export class RecordWriter {
  readonly plan: WriterPlan;
  readonly channels: readonly OutputChannel[];
  /** Target channel by key group, for hash edges. */
  readonly channelOfKeyGroup: Int32Array;
  /** Of a hash edge. */
  readonly combiner: EdgeCombiner | undefined;
  /** The uncompiled way to emit; compiled chains have their own copy of this in generated code. */
  readonly emit: (value: unknown, timestampMs: number) => void;

  constructor(plan: WriterPlan, channels: readonly OutputChannel[], makeCombiner?: MakeCombiner) {
    this.plan = plan;
    this.channels = channels;
    this.channelOfKeyGroup =
      plan.partitioner.kind === "hash"
        ? Int32Array.from({ length: plan.maxParallelism }, (_, group) => Math.floor((group * channels.length) / plan.maxParallelism))
        : new Int32Array(0);
    this.combiner = makeCombiner?.(this.channelOfKeyGroup);
    this.emit = referenceEmit(this);
  }

  /** First channel of a round-robin: spread over the senders. */
  get firstChannel(): number {
    return this.plan.subtaskIndex % this.channels.length;
  }

  watermark(timestampMs: number): void {
    this.combiner?.watermark(timestampMs);
    for (const channel of this.channels) channel.appendMark("watermark", timestampMs);
  }

  status(idle: boolean): void {
    this.combiner?.status(idle);
    for (const channel of this.channels) channel.appendMark("status", idle);
  }

  latencyMark(markedTimeMs: number, operatorId: string, subtaskIndex: number): void {
    const at = Math.floor(this.plan.random() * this.channels.length);
    this.channels[at]!.appendLatencyMark(markedTimeMs, operatorId, subtaskIndex);
  }

  sendEvent(event: ChannelEvent): void {
    this.combiner?.flush();
    for (const channel of this.channels) channel.sendEvent(event);
  }

  sendBarrier(barrier: Barrier, data: InFlightData): void {
    this.combiner?.flush();
    for (const channel of this.channels) channel.sendBarrier(barrier, data);
  }

  /** A barrier that was sent in order now overtakes what it waits behind. */
  overtake(barrier: Barrier): void {
    for (const channel of this.channels) channel.overtake(barrier);
  }

  flush(onlyIfWritable = false): void {
    this.combiner?.settle();
    for (const channel of this.channels) channel.flush(onlyIfWritable);
  }
}

/** The channel a custom partitioner chose, checked. */
export function checkedChannel(index: number, channels: number, key: unknown): number {
  if (Number.isInteger(index) && index >= 0 && index < channels) return index;
  throw new MillraceError({
    code: "PARTITION_OUT_OF_RANGE",
    message: `the custom partitioner returned ${String(index)} for key ${String(key)}, but there are ${channels} channels`,
    hint: "return an integer from 0 to numberOfChannels - 1",
  });
}

function referenceEmit(writer: RecordWriter): (value: unknown, timestampMs: number) => void {
  const { channels, plan } = writer;
  const n = channels.length;
  switch (plan.partitioner.kind) {
    case "hash": {
      const selector: KeySelector<unknown, unknown> = plan.partitioner.keySelector;
      return (value, timestampMs) => {
        let hash: number;
        try {
          hash = keyHash(selector(value));
        } catch (error) {
          throw keyFailure(error, value, selector, plan.targetName);
        }
        const { combiner } = writer;
        if (combiner !== undefined && combiner.resting === 0) return combiner.add(value, timestampMs, hash);
        if (combiner !== undefined) combiner.resting--;
        channels[writer.channelOfKeyGroup[keyGroupOf(hash, plan.maxParallelism)]!]!.appendHashed(value, timestampMs, hash);
      };
    }
    case "custom": {
      const selector: KeySelector<unknown, unknown> = plan.partitioner.keySelector;
      const partition: PartitionFn<unknown> = plan.partitioner.partition;
      return (value, timestampMs) => {
        const key = selector(value);
        channels[checkedChannel(partition(key, n), n, key)]!.append(value, timestampMs);
      };
    }
    case "broadcast":
      return (value, timestampMs) => {
        for (const channel of channels) channel.append(value, timestampMs);
      };
    case "shuffle":
      return (value, timestampMs) => channels[Math.floor(plan.random() * n)]!.append(value, timestampMs);
    case "rebalance":
    case "rescale": {
      let next = writer.firstChannel;
      return (value, timestampMs) => {
        channels[next]!.append(value, timestampMs);
        next = next + 1 === n ? 0 : next + 1;
      };
    }
    case "forward":
    case "global":
      return (value, timestampMs) => channels[0]!.append(value, timestampMs);
  }
}
