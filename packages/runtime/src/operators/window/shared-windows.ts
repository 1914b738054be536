import {
  requireTimestamp, type OneInputOperator, type Output, type RecordBatch, type Slice, type SliceTable,
} from "@millrace/core";
import { specialize } from "../specialize.js";
import { accumulateFactory, type Accumulate } from "./accumulate.js";
import { batchAdder, type BatchAdder, type MakeBatchAdder } from "./batch-adder.js";
import type { MakeSliceWindows, SliceWindowInit } from "./direct-windows.js";
import { KeyPositions } from "./key-positions.js";
import { SliceWindowBase } from "./slice-window-base.js";
import { SortedEnds } from "./sorted-ends.js";

/** The merged contents of one key's slices from the one that ends at `end` up to where its back stack begins. */
interface Suffix {
  readonly end: number;
  readonly accumulator: unknown;
  readonly next: Suffix | null;
}

/** Re-evaluated per operator, see `specialize`. */
function sharedWindowsFactory(
  Base: typeof SliceWindowBase, Ends: typeof SortedEnds, Positions: typeof KeyPositions, checkTimestamp: typeof requireTimestamp,
): MakeSliceWindows {
  class SharedWindows extends Base implements OneInputOperator {
    private readonly accumulate: Accumulate;
    private readonly plain: boolean;
    private slices!: SliceTable<unknown, unknown>;
    private ends!: SortedEnds;
    private readonly adder: BatchAdder;

    // Two stacks per key (the folklore queue of two stacks, as in Tangwongsan et al., "General incremental sliding-window aggregation", 2015): `fronts`
    // holds suffix aggregates of the slices up to `flippedThrough`, `backs` the aggregate of those after it. Derived from the slices, not part of the state.
    private keys!: KeyPositions;
    private fronts: (Suffix | null)[] = [];
    private backs: unknown[] = [];
    /** A record came late into one of the key's slices: its stacks are built again when it is next emitted. */
    private stale: boolean[] = [];
    private flippedThrough = Number.NEGATIVE_INFINITY;
    /** Slices that end at or before are in the stacks. */
    private foldedThrough = Number.NEGATIVE_INFINITY;
    /** The slice being flipped, while a flip is under way. */
    private flipIndex = -1;
    private foldCursor = 0;
    private steps = 0;

    constructor(init: SliceWindowInit, accumulate: Accumulate, makeAdder: MakeBatchAdder) {
      super(init.parts, init.geometry, init.context);
      this.accumulate = accumulate;
      this.adder = makeAdder(init.keySelector ?? (() => 0), accumulate, this);
      this.plain = init.parts.emitter.isValue;
    }

    protected openTables(): void {
      this.slices = this.context.keyedState.sliceTable("window-slices");
      this.ends = new Ends(this.slices.namespaces());
      this.keys = new Positions();
    }

    protected closeFastPath(): void {
      this.adder.close();
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const state = this.context.keyedState;
      if (this.constantKey) state.setCurrentKey(0);
      const hash = state.currentKeyHash;
      this.adder.addRecord(value, timestampMs, state.currentKey, hash, out);
    }

    processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      this.adder.addBatch(batch, from, to, out);
    }

    processCombined({ values, timestampsMs, keyHashes }: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      this.finishRestored(out);
      for (let i = from; i < to; i++) {
        const [key, accumulator] = values[i] as readonly [unknown, unknown];
        const hash = keyHashes![i]!;
        const sliceEnd = this.geometry.sliceEnd(timestampsMs[i]!);
        if (this.geometry.lastWindowEnd(sliceEnd) - 1 <= this.progress.watermarkOf(hash, this.watermarkMs)) this.late.add(values[i], timestampsMs[i]!, out);
        else this.mergeInto(sliceEnd, accumulator, key, hash);
      }
    }

    private mergeInto(sliceEnd: number, accumulator: unknown, key: unknown, hash: number): void {
      if (sliceEnd <= this.foldedThrough) this.unstack(key, hash);
      this.adder.merge(this.slice(sliceEnd), accumulator, key, hash);
    }

    addAnywhere(value: unknown, timestampMs: number, key: unknown, hash: number, out: Output<unknown>): void {
      checkTimestamp(timestampMs);
      this.finishRestored(out);
      const geometry = this.geometry;
      const latenessMs = this.allowedLatenessMs;
      const watermarkMs = this.progress.watermarkOf(hash, this.watermarkMs);
      const sliceEnd = geometry.sliceEnd(timestampMs);
      const first = geometry.firstWindowEnd(sliceEnd);
      const last = geometry.lastWindowEnd(sliceEnd);
      if (last - 1 + latenessMs <= watermarkMs) {
        this.late.add(value, timestampMs, out);
        return;
      }
      const slice = this.slice(sliceEnd);
      this.adder.add(slice, value, key, hash);
      if (sliceEnd <= this.foldedThrough) this.addFolded(sliceEnd, value, key, hash);
      if (first - 1 > watermarkMs) {
        if (!this.progress.caughtUp(this.watermarkMs)) return;
        this.adder.open(sliceEnd - geometry.sliceMs, sliceEnd, slice);
        return;
      }
      // Windows that have been emitted and are still allowed to change are emitted again, the latest first.
      for (let end = last; end >= first; end -= geometry.slideMs) {
        if (end - 1 <= watermarkMs && end - 1 + latenessMs > watermarkMs) this.emit(end, key, hash, this.mergeSlices(end, key, hash), out);
      }
    }

    private slice(end: number): Slice<unknown, unknown> {
      const existing = this.slices.existing(end);
      if (existing !== undefined) return existing;
      this.ends.add(end);
      return this.slices.slice(end);
    }

    protected nextWindowEnd(end: number): number | undefined {
      const geometry = this.geometry;
      const ends = this.ends.ends;
      for (let i = 0; i < ends.length; i++) {
        // Slices kept for late records only.
        if (geometry.lastWindowEnd(ends[i]!) <= end) continue;
        const first = geometry.firstWindowEnd(ends[i]!);
        return first > end ? first : end + geometry.slideMs;
      }
      return undefined;
    }

    protected fire(windowEnd: number, out: Output<unknown>): boolean {
      const start = this.geometry.windowStart(windowEnd);
      if (this.foldedThrough < windowEnd && !(start > this.flippedThrough ? this.flip(start, windowEnd, out) : this.fold(windowEnd, out))) return false;
      const { keys, fronts, backs, stale, accumulate, plain } = this;
      const window = this.windowOf(windowEnd);
      const check = this.progress.mayBeEmitted(windowEnd);
      let position = this.cursor;
      while (position < keys.keys.length) {
        if ((++this.steps & 15) === 0 && this.pause(out)) {
          this.cursor = position;
          return false;
        }
        let front: Suffix | null = stale[position]! ? this.rebuild(position, start) : fronts[position]!;
        while (front !== null && front.end <= start) front = front.next;
        fronts[position] = front;
        const back = backs[position];
        if (front === null && back === undefined) {
          this.removeKey(position);
          continue;
        }
        if (!check || !this.progress.isEmitted(windowEnd, keys.keys[position], keys.hashes[position]!)) {
          const merged = front === null ? back : back === undefined ? front.accumulator : accumulate.merge(accumulate.copy(front.accumulator), back);
          const result = accumulate.result(merged);
          if (plain) out.collect(result, windowEnd - 1);
          else this.emitThroughFunction(keys.keys[position], keys.hashes[position]!, window, result, out);
        }
        position++;
      }
      return true;
    }

    /** Takes the slices after `foldedThrough` into the backs; false when it paused. */
    private fold(windowEnd: number, out: Output<unknown>): boolean {
      const { keys, backs, stale, accumulate } = this;
      const ends = this.ends.ends;
      for (let i = this.ends.firstAfter(this.foldedThrough); i < ends.length && ends[i]! <= windowEnd; i++) {
        const slice = this.slices.existing(ends[i]!)!;
        for (let from = this.foldCursor; from < slice.size; from++) {
          if ((++this.steps & 15) === 0 && this.pause(out)) {
            this.foldCursor = from;
            return false;
          }
          const accumulator = slice.get(from);
          if (accumulator === undefined) continue;
          const key = slice.keyAt(from);
          const hash = slice.hashAt(from);
          let position = keys.find(key, hash);
          if (position < 0) position = this.addKey(key, hash);
          else if (stale[position]!) continue;
          const back = backs[position];
          backs[position] = back === undefined ? accumulate.copy(accumulator) : accumulate.merge(back, accumulator);
        }
        this.foldCursor = 0;
        this.foldedThrough = ends[i]!;
      }
      this.foldedThrough = windowEnd;
      return true;
    }

    /** The backs hold slices that are no longer wanted: makes all slices of the window suffixes, from the newest to the oldest; false when it paused. */
    private flip(start: number, windowEnd: number, out: Output<unknown>): boolean {
      const ends = this.ends.ends;
      if (this.flipIndex < 0) {
        this.flipIndex = this.ends.firstAfter(windowEnd) - 1;
        this.keys = new Positions();
        this.fronts = [];
        this.backs = [];
        this.stale = [];
      }
      const { keys, fronts, accumulate } = this;
      for (; this.flipIndex >= 0 && ends[this.flipIndex]! > start; this.flipIndex--) {
        const end = ends[this.flipIndex]!;
        const slice = this.slices.existing(end)!;
        for (let from = this.foldCursor; from < slice.size; from++) {
          if ((++this.steps & 15) === 0 && this.pause(out)) {
            this.foldCursor = from;
            return false;
          }
          const accumulator = slice.get(from);
          if (accumulator === undefined) continue;
          const key = slice.keyAt(from);
          const hash = slice.hashAt(from);
          let position = keys.find(key, hash);
          if (position < 0) position = this.addKey(key, hash);
          const next = fronts[position]!;
          const copy = accumulate.copy(accumulator);
          fronts[position] = { end, accumulator: next === null ? copy : accumulate.merge(copy, next.accumulator), next };
        }
        this.foldCursor = 0;
      }
      this.flipIndex = -1;
      this.flippedThrough = windowEnd;
      this.foldedThrough = windowEnd;
      return true;
    }

    /** Builds one key's stacks again: all its slices that end after `start` become suffixes. */
    private rebuild(position: number, start: number): Suffix | null {
      const { accumulate } = this;
      const key = this.keys.keys[position];
      const hash = this.keys.hashes[position]!;
      const ends = this.ends.ends;
      let front: Suffix | null = null;
      for (let i = this.ends.firstAfter(this.foldedThrough) - 1; i >= 0 && ends[i]! > start; i--) {
        const slice = this.slices.existing(ends[i]!)!;
        const at = slice.find(key, hash);
        const own = at < 0 ? undefined : slice.get(at);
        if (own === undefined) continue;
        const copy = accumulate.copy(own);
        front = { end: ends[i]!, accumulator: front === null ? copy : accumulate.merge(copy, front.accumulator), next: front };
      }
      this.stale[position] = false;
      return front;
    }

    private addKey(key: unknown, hash: number): number {
      this.fronts.push(null);
      this.backs.push(undefined);
      this.stale.push(false);
      return this.keys.add(key, hash);
    }

    private removeKey(position: number): void {
      this.keys.remove(position);
      const front = this.fronts.pop()!;
      const back = this.backs.pop();
      const stale = this.stale.pop()!;
      if (position === this.fronts.length) return;
      this.fronts[position] = front;
      this.backs[position] = back;
      this.stale[position] = stale;
    }

    /** A record came into a slice that is in the stacks already. */
    private addFolded(sliceEnd: number, value: unknown, key: unknown, hash: number): void {
      let position = this.keys.find(key, hash);
      if (position < 0) position = this.addKey(key, hash);
      if (this.stale[position]!) return;
      if (sliceEnd > this.flippedThrough) {
        const back = this.backs[position];
        this.backs[position] = back === undefined ? this.accumulate.first(value) : this.accumulate.add(back, value);
        return;
      }
      this.markStale(position);
    }

    private unstack(key: unknown, hash: number): void {
      const position = this.keys.find(key, hash);
      this.markStale(position < 0 ? this.addKey(key, hash) : position);
    }

    private markStale(position: number): void {
      this.fronts[position] = null;
      this.backs[position] = undefined;
      this.stale[position] = true;
    }

    /** One key's contents of a window, from its slices. */
    private mergeSlices(windowEnd: number, key: unknown, hash: number): unknown {
      const ends = this.ends.ends;
      let merged: unknown;
      for (let i = this.ends.firstAfter(this.geometry.windowStart(windowEnd)); i < ends.length && ends[i]! <= windowEnd; i++) {
        const slice = this.slices.existing(ends[i]!)!;
        const at = slice.find(key, hash);
        const own = at < 0 ? undefined : slice.get(at);
        if (own !== undefined) merged = merged === undefined ? this.accumulate.copy(own) : this.accumulate.merge(merged, own);
      }
      return merged;
    }

    private emit(windowEnd: number, key: unknown, hash: number, accumulator: unknown, out: Output<unknown>): void {
      const result = this.accumulate.result(accumulator);
      if (this.plain) out.collect(result, windowEnd - 1);
      else this.emitThroughFunction(key, hash, this.windowOf(windowEnd), result, out);
    }

    protected markEmitted(windowEnd: number, from: number, to: number): void {
      for (let position = from; position < to; position++) this.progress.markEmitted(windowEnd, this.keys.keys[position], this.keys.hashes[position]!);
    }

    protected cleanUp(): void {
      const ends = this.ends.ends;
      let gone = 0;
      while (gone < ends.length && this.geometry.lastWindowEnd(ends[gone]!) - 1 + this.allowedLatenessMs <= this.watermarkMs) this.slices.drop(ends[gone++]!);
      this.ends.removeFirst(gone);
    }
  }
  return (init, accumulate, makeAdder) => new SharedWindows(init, accumulate, makeAdder);
}

/**
 * Sliding and cumulating event-time windows over shared slices: a record is added once, whatever the number of windows it belongs to, and a firing costs
 * one merge per key, whatever the number of slices. Needs an aggregate that merges, or a commutative reduce: slices are combined in order of time.
 */
export function sharedWindows(init: SliceWindowInit): OneInputOperator {
  const id = init.context.operatorId;
  const make = specialize(sharedWindowsFactory, id)(SliceWindowBase, SortedEnds, KeyPositions, requireTimestamp);
  return make(init, specialize(accumulateFactory, id)()(init.reduce, init.aggregate), batchAdder(id));
}
