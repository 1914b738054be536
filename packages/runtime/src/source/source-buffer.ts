import { noWatermarks, OutputTag, RecordBatch } from "@millrace/core";
import type { Output, TimestampAssigner } from "@millrace/core";
import type { ChainEntry, GeneratingEntry } from "../chain/chain-entry.js";
import type { OutputPressure } from "../exchange/output-channel.js";
import { specialize } from "../operators/specialize.js";
import { SourceOutput } from "./source-output.js";
import type { SourceWatermarks } from "./source-watermarks.js";

type Generate<T> = (index: number) => T;
type Fill = (generate: Generate<any>, first: number, count: number) => any[];
type Assign = (batch: RecordBatch<any>, from: number, to: number) => void;

/** What a {@link SourceBuffer} writes to. */
export interface SourceBufferTarget {
  readonly entry: ChainEntry;
  /** Asked for at the first records that are made by index. */
  generatingEntry(): GeneratingEntry | undefined;
  readonly output: Output<unknown>;
  readonly pressure: OutputPressure;
  /** Makes the specialised copy of the assigning loop unique. */
  readonly id: string;
  refuse(timestampMs: unknown, value: unknown): never;
}

/** Gathers what a reader emits into batches, gives them time stamps and watermarks, and runs them through the chain. */
export class SourceBuffer<T> {
  owner: SourceOutput<T> | undefined;
  values: T[];
  timestampsMs: Float64Array;
  count: number;
  readonly capacity: number;
  /** Records a poll may emit before the reader is asked to return. */
  quota: number;
  /** Records emitted since the poll began. */
  emitted: number;
  private readonly batch: RecordBatch<T>;
  private readonly target: SourceBufferTarget;
  private readonly watermarks: SourceWatermarks<T>;
  private readonly assign: Assign;
  private readonly assigns: boolean;
  private fill: Fill | undefined;
  /** `null` before it was asked for. */
  private generating: GeneratingEntry | undefined | null;
  private readonly outputs: Map<string, SourceOutput<T>>;
  private readonly tags: Map<string, OutputTag<unknown>>;

  constructor(capacity: number, target: SourceBufferTarget, watermarks: SourceWatermarks<T>, assigner: TimestampAssigner<T> | undefined) {
    this.capacity = capacity;
    this.owner = undefined;
    this.values = new Array<T>(capacity).fill(undefined as T);
    this.timestampsMs = new Float64Array(capacity);
    this.count = 0;
    this.quota = capacity;
    this.emitted = 0;
    this.batch = new RecordBatch<T>(this.values, this.timestampsMs, 0);
    this.target = target;
    this.watermarks = watermarks;
    this.outputs = new Map();
    this.tags = new Map();
    this.assign = assigningLoop(assigner, target);
    this.assigns = assigner !== undefined;
    this.fill = undefined;
    this.generating = null;
  }

  get full(): boolean {
    return this.emitted + this.count >= this.quota || this.target.pressure.blockedChannels > 0;
  }

  switchTo(output: SourceOutput<T>): void {
    this.flush();
    this.owner = output;
  }

  flush(): void {
    const { batch } = this;
    if (this.count === 0) return;
    batch.count = this.count;
    this.count = 0;
    this.emit(batch);
  }

  emit(batch: RecordBatch<T>): void {
    const { count } = batch;
    this.emitted += count;
    this.assign(batch, 0, count);
    const split = this.owner!.watermarks;
    const { generator } = split;
    if (generator.onBatch !== undefined) {
      generator.onBatch(batch, 0, count);
      this.target.entry(batch, 0, count);
      return;
    }
    let from = 0;
    for (let i = 0; i < count; i++) {
      generator.onEvent(batch.values[i]!, batch.timestampsMs[i]!, split);
      if (!this.watermarks.changed) continue;
      // The watermark belongs behind the record that caused it.
      this.target.entry(batch, from, i + 1);
      from = i + 1;
      this.watermarks.publish();
    }
    if (from < count) this.target.entry(batch, from, count);
  }

  emitGenerated(generate: Generate<T>, first: number, count: number): void {
    const looksFirst = this.assigns || this.owner!.watermarks.generator !== noWatermarks();
    if (!looksFirst && this.generating === null) this.generating = this.target.generatingEntry();
    if (looksFirst || !this.generating) {
      this.fill ??= specialize(fillingLoop, `${this.target.id}.fill`)();
      return this.emit(RecordBatch.withoutTimestamps(this.fill(generate, first, count)));
    }
    this.emitted += count;
    this.generating(generate, first, count);
  }

  sideOutput(tagId: string, value: unknown, timestampMs: number): void {
    let tag = this.tags.get(tagId);
    if (tag === undefined) this.tags.set(tagId, (tag = new OutputTag<unknown>(tagId)));
    this.emitted++;
    this.target.output.sideOutput(tag, value, timestampMs);
  }

  outputOf(splitId: string): SourceOutput<T> {
    let output = this.outputs.get(splitId);
    if (output === undefined) this.outputs.set(splitId, (output = new SourceOutput(this, this.watermarks.split(splitId))));
    return output;
  }

  release(splitId: string): void {
    this.flush();
    this.outputs.delete(splitId);
    this.watermarks.release(splitId);
    this.watermarks.publish();
  }
}

/** The loop that makes records by index, in a copy that sees one generator only. */
function fillingLoop(): Fill {
  return (generate, first, count) => {
    const values = new Array<unknown>(count);
    for (let i = 0; i < count; i++) values[i] = generate(first + i);
    return values;
  };
}

/** The loop that gives each record its time stamp and checks it, in a copy that sees one assigner only. */
function assigningLoop(assigner: TimestampAssigner<any> | undefined, target: SourceBufferTarget): Assign {
  const refuse = (timestampMs: unknown, value: unknown): never => target.refuse(timestampMs, value);
  if (assigner === undefined) {
    return (batch, from, to) => {
      const times = batch.timestampsMs;
      for (let i = from; i < to; i++) if (!Number.isSafeInteger(times[i]!)) refuse(times[i], batch.values[i]);
    };
  }
  const make = (assign: TimestampAssigner<any>, bad: (timestampMs: unknown, value: unknown) => never): Assign =>
    (batch, from, to) => {
      const values = batch.values;
      const times = batch.timestampsMs;
      for (let i = from; i < to; i++) {
        const value = values[i];
        const time = assign(value, times[i]!);
        if (!Number.isSafeInteger(time)) bad(time, value);
        times[i] = time;
      }
    };
  return specialize(make, target.id)(assigner, refuse);
}
