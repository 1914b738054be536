import {
  isCommutative, keyGroupOf, MIN_WATERMARK, NO_TIMESTAMP, RecordBatch,
  type AggregateFunction, type Clock, type KeySelector, type Output, type Slice, type SliceTable,
} from "@millrace/core";
import type { OperatorSpec, WindowSpec } from "@millrace/graph";
import { HeapKeyedStateBackend } from "@millrace/state";
import { locateError } from "../../chain/task-error.js";
import type { OutputChannel } from "../../exchange/output-channel.js";
import type { EdgeCombiner } from "../../exchange/record-writer.js";
import { specialize } from "../specialize.js";
import { accumulateFactory } from "./accumulate.js";
import { batchAdder, type BatchAdder, type SlowPath } from "./batch-adder.js";
import { SliceGeometry } from "./slice-geometry.js";
import { SortedEnds } from "./sorted-ends.js";

/** Records that are added together. */
const RUN = 512;
/** When a combiner lets go of what it holds, and when it pauses. */
export interface CombinerLimits {
  /** Keys (of all slices) that are held at most: sending them takes some ten milliseconds, and nothing else happens meanwhile. */
  readonly mostEntries: number;
  /** Records after which it is guessed whether it will pay. */
  readonly guessedAfter: number;
  /** Records after which, at the next time something is sent, it is judged whether it has paid. */
  readonly judgedAfter: number;
  /** It pays when so many records become one entry that is sent. */
  readonly leastGain: number;
  /** It will hardly pay when there seem to be more keys than this. */
  readonly mostKeys: number;
  /** Where it does not pay, that many times as many records as it took to find out go by. */
  readonly rest: number;
}

const LIMITS: CombinerLimits = { mostEntries: 1 << 17, guessedAfter: 1 << 11, judgedAfter: 1 << 13, leastGain: 2, mostKeys: 1 << 18, rest: 128 };

/** What a combiner needs to know of its edge. */
export interface WindowCombinerInit {
  readonly spec: WindowSpec;
  readonly keySelector: KeySelector<unknown, unknown>;
  readonly channels: readonly OutputChannel[];
  readonly channelOfKeyGroup: Int32Array;
  readonly maxParallelism: number;
  readonly clock: Clock;
  /** The window operator, and the sender's subtask: for messages. */
  readonly operatorName: string;
  readonly operatorId: string;
  readonly subtaskIndex: number;
  readonly limits?: CombinerLimits;
}

/**
 * Whether the records of an operator may be added up before they are sent to it: aligned event-time windows that fire once, whose function merges, and for
 * which no record counts by itself (as one that comes late does).
 */
export function mayCombine(spec: OperatorSpec): spec is WindowSpec {
  if (spec.type !== "window" || !spec.keyed || spec.evictor !== undefined || spec.allowedLatenessMs > 0 || spec.lateTag !== undefined) return false;
  if (spec.fn !== undefined && spec.fn.kind !== "plain") return false;
  const { assigner, reduce, aggregate } = spec;
  if (!assigner.isEventTime || assigner.sliced === undefined || (spec.trigger ?? assigner.getDefaultTrigger()).isDefaultFor !== "event-time") return false;
  return reduce !== undefined ? isCommutative(reduce) : aggregate?.merge !== undefined && isPlain(aggregate);
}

/** Whether accumulators can be sent. They need not be, otherwise: who takes no checkpoints may use what no codec knows. */
function isPlain(aggregate: AggregateFunction<unknown, unknown, unknown>): boolean {
  let accumulator: unknown;
  try {
    accumulator = aggregate.createAccumulator();
  } catch {
    // Whose error that is, and of which record, is the operator's to say.
    return false;
  }
  if (typeof accumulator === "number") return true;
  if (typeof accumulator !== "object" || accumulator === null || Object.getPrototypeOf(accumulator) !== Object.prototype) return false;
  const fields = Object.values(accumulator);
  return fields.length > 0 && fields.every((field) => ["number", "string", "boolean", "bigint"].includes(typeof field));
}

/**
 * Adds records up by key and slice before they go to a window operator, which gets the sums.
 *
 * A slice is held until the watermark passes the end of its first window, so its sums come before that watermark; and until a barrier, so it is no state.
 * A record whose window may be over is sent as it is: the receiver knows whether it is late. So is all once the sender has been idle, since then the
 * receiver's time may be ahead of its own.
 *
 * What was held of a key's slice leaves before the slice's next record does, so the receiver sees what it could have seen without this: all of a sender in its order.
 */
export class WindowCombiner implements EdgeCombiner, SlowPath {
  private readonly init: WindowCombinerInit;
  private readonly limits: CombinerLimits;
  private readonly geometry: SliceGeometry;
  private readonly adder: BatchAdder;
  private readonly slices: SliceTable<unknown, unknown>;
  private readonly ends: SortedEnds;
  private readonly run: RecordBatch;
  private readonly times: Float64Array;
  private readonly hashes: Int32Array;
  private count: number;
  private watermarkMs: number;
  /** So many records from now on are sent as they are, by whoever would give them to `add`. */
  resting: number;
  recordsCombined: number;
  sumsOut: number;
  private added: number;
  private sent: number;

  constructor(init: WindowCombinerInit) {
    this.init = init;
    this.limits = init.limits ?? LIMITS;
    this.geometry = new SliceGeometry(init.spec.assigner.sliced!);
    const id = `combiner ${init.operatorId}`;
    const accumulate = specialize(accumulateFactory, id)()(init.spec.reduce, init.spec.aggregate);
    this.adder = batchAdder(id)(init.keySelector, accumulate, this);
    const { maxParallelism, clock } = init;
    this.slices = new HeapKeyedStateBackend({ maxParallelism, keyGroupRange: [0, maxParallelism - 1], clock }).sliceTable("combined");
    this.ends = new SortedEnds([]);
    this.run = new RecordBatch(new Array<unknown>(RUN).fill(undefined), new Float64Array(RUN), 0);
    this.times = this.run.timestampsMs;
    this.hashes = new Int32Array(RUN);
    this.run.keyHashes = this.hashes;
    this.count = 0;
    this.watermarkMs = MIN_WATERMARK;
    this.resting = 0;
    this.recordsCombined = 0;
    this.sumsOut = 0;
    this.added = 0;
    this.sent = 0;
  }

  add(value: unknown, timestampMs: number, hash: number): void {
    const at = this.count;
    this.run.values[at] = value;
    this.times[at] = timestampMs;
    this.hashes[at] = hash;
    this.count = at + 1;
    if (at + 1 === RUN) this.settle();
  }

  settle(): void {
    const { count, run } = this;
    if (count === 0) return;
    this.count = 0;
    this.recordsCombined += count;
    try {
      this.adder.addBatch(run, 0, count, noOutput);
    } catch (error) {
      const { operatorName, operatorId, subtaskIndex } = this.init;
      throw locateError(error, operatorName, operatorId, subtaskIndex);
    }
    run.values.fill(undefined, 0, count);
    const { guessedAfter, mostEntries } = this.limits;
    const before = this.added;
    this.added += count;
    let entries = 0;
    for (const end of this.ends.ends) entries += this.slices.existing(end)!.size;
    const hopeless = before < guessedAfter && this.added >= guessedAfter && this.isHopeless(entries + this.sent);
    if (hopeless) {
      const rest = this.limits.rest * this.added;
      this.send(this.ends.ends.length);
      this.rest(rest);
    } else if (entries > mostEntries) this.send(this.ends.ends.length);
  }

  /** Of n records among k keys about n²/2k come with a key that was there (birthdays): so few of them mean that there are too many keys. */
  private isHopeless(entries: number): boolean {
    return 2 * (this.added - entries) * this.limits.mostKeys < this.added * this.added;
  }

  watermark(timestampMs: number): void {
    this.settle();
    if (timestampMs <= this.watermarkMs) return;
    this.watermarkMs = timestampMs;
    this.adder.close();
    const { ends } = this.ends;
    let gone = 0;
    while (gone < ends.length && this.geometry.firstWindowEnd(ends[gone]!) - 1 <= timestampMs) gone++;
    this.send(gone);
  }

  status(idle: boolean): void {
    if (!idle) return;
    this.flush();
    this.resting = Number.POSITIVE_INFINITY;
  }

  flush(): void {
    this.settle();
    this.send(this.ends.ends.length);
  }

  /** Adds a record that is in no open slice. */
  addAnywhere(value: unknown, timestampMs: number, key: unknown, hash: number): void {
    const { geometry } = this;
    const end = timestampMs === NO_TIMESTAMP ? Number.NaN : geometry.sliceEnd(timestampMs);
    const first = geometry.firstWindowEnd(end);
    // Without time, between two windows, or perhaps too late.
    if (!(first <= geometry.lastWindowEnd(end) && first - 1 > this.watermarkMs)) return this.pass(value, timestampMs, hash);
    let slice = this.slices.existing(end);
    if (slice === undefined) {
      this.ends.add(end);
      slice = this.slices.slice(end);
    }
    this.adder.add(slice, value, key, hash);
    this.adder.open(end - geometry.sliceMs, end, slice);
  }

  private pass(value: unknown, timestampMs: number, hash: number): void {
    this.recordsCombined--;
    this.channelOf(hash).appendHashed(value, timestampMs, hash);
  }

  private channelOf(hash: number): OutputChannel {
    const { channels, channelOfKeyGroup, maxParallelism } = this.init;
    return channels[channelOfKeyGroup[keyGroupOf(hash, maxParallelism)]!]!;
  }

  /** Sends the first `count` slices. */
  private send(count: number): void {
    if (count === 0) return;
    const { channels } = this.init;
    const { ends } = this.ends;
    this.adder.close();
    for (const channel of channels) channel.setCombined(true);
    for (let i = 0; i < count; i++) {
      this.sendSlice(this.slices.existing(ends[i]!)!, ends[i]! - 1);
      this.slices.drop(ends[i]!);
    }
    for (const channel of channels) channel.setCombined(false);
    this.ends.removeFirst(count);
    this.judge();
  }

  private judge(): void {
    const { judgedAfter, leastGain, rest } = this.limits;
    const { added, sent } = this;
    if (added < judgedAfter) return;
    this.added = this.sent = 0;
    if (added >= leastGain * sent) return;
    // What is held goes before what will not be.
    this.send(this.ends.ends.length);
    this.rest(rest * added);
  }

  private rest(records: number): void {
    this.resting = records;
    this.added = this.sent = 0;
  }

  private sendSlice(slice: Slice<unknown, unknown>, timestampMs: number): void {
    const { size } = slice;
    for (let position = 0; position < size; position++) {
      const hash = slice.hashAt(position);
      this.channelOf(hash).appendHashed([slice.keyAt(position), slice.get(position)], timestampMs, hash);
    }
    this.sent += size;
    this.sumsOut += size;
  }
}

const noOutput: Output<unknown> = {
  collect() {}, sideOutput() {}, emitWatermark() {}, emitStatus() {}, blocked: false,
};
