import {
  requireTimestamp, type KeySelector, type OneInputOperator, type Output, type RecordBatch, type Slice, type SliceTable,
} from "@millrace/core";
import { specialize } from "../specialize.js";
import { accumulateFactory, type Accumulate } from "./accumulate.js";
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
    private readonly keyOf: KeySelector<unknown, unknown>;
    private readonly accumulate: Accumulate;
    private readonly plain: boolean;
    private slices!: SliceTable<unknown, unknown>;
    private ends!: SortedEnds;
    // The last two slices records went to, while every window that contains them is still to come: [from, to).
    private openFrom = Number.POSITIVE_INFINITY;
    private openTo = Number.NEGATIVE_INFINITY;
    private openTable: Slice<unknown, unknown> | undefined = undefined;

    // Two stacks per key (Tangwongsan et al., "Low-latency sliding-window aggregation in worst-case constant time", and the older folklore): `fronts`
    // holds suffix aggregates of the older slices, `backs` the aggregate of the newer ones. Derived from the slices, not part of the state.
    private keys!: KeyPositions;
    private fronts: (Suffix | null)[] = [];
    private backs: unknown[] = [];
    /** End of the oldest slice in the back; `Infinity` when empty, `-Infinity` when the key must be rebuilt. */
    private backFirst: number[] = [];
    /** Slices that end at or before are in the stacks. */
    private foldedThrough = Number.NEGATIVE_INFINITY;
    private foldCursor = 0;
    private steps = 0;

    constructor(init: SliceWindowInit, accumulate: Accumulate) {
      super(init.parts, init.geometry, init.context);
      this.keyOf = init.keySelector ?? (() => 0);
      this.accumulate = accumulate;
      this.plain = init.parts.emitter.isValue;
    }

    protected openTables(): void {
      this.slices = this.context.keyedState.sliceTable("window-slices");
      this.ends = new Ends(this.slices.namespaces());
      this.keys = new Positions();
    }

    protected closeFastPath(): void {
      this.openFrom = Number.POSITIVE_INFINITY;
      this.openTo = Number.NEGATIVE_INFINITY;
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const state = this.context.keyedState;
      if (this.constantKey) state.setCurrentKey(0);
      const hash = state.currentKeyHash;
      if (timestampMs >= this.openFrom && timestampMs < this.openTo) this.add(this.openTable!, value, state.currentKey, hash);
      else this.addAnywhere(value, timestampMs, state.currentKey, hash, out);
    }

    processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      const { values, timestampsMs, keyHashes } = batch;
      const state = this.context.keyedState;
      for (let i = from; i < to; i++) {
        const value = values[i];
        const timestampMs = timestampsMs[i]!;
        const key = this.keyOf(value);
        let hash: number;
        if (keyHashes !== null) hash = keyHashes[i]!;
        else {
          state.setCurrentKey(key);
          hash = state.currentKeyHash;
        }
        if (timestampMs >= this.openFrom && timestampMs < this.openTo) this.add(this.openTable!, value, key, hash);
        else this.addAnywhere(value, timestampMs, key, hash, out);
      }
    }

    private add(slice: Slice<unknown, unknown>, value: unknown, key: unknown, hash: number): void {
      const position = slice.upsert(key, hash);
      const accumulator = slice.get(position);
      slice.set(position, accumulator === undefined ? this.accumulate.first(value) : this.accumulate.add(accumulator, value));
    }

    private addAnywhere(value: unknown, timestampMs: number, key: unknown, hash: number, out: Output<unknown>): void {
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
      this.add(slice, value, key, hash);
      if (sliceEnd <= this.foldedThrough) this.mustRebuild(key, hash);
      if (first - 1 > watermarkMs) {
        if (!this.progress.caughtUp(this.watermarkMs)) return;
        this.openFrom = sliceEnd - geometry.sliceMs;
        this.openTo = sliceEnd;
        this.openTable = slice;
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
      if (this.foldedThrough < windowEnd && !this.fold(start, windowEnd, out)) return false;
      const { keys, fronts, backs, backFirst, accumulate, plain } = this;
      const window = this.windowOf(windowEnd);
      const check = this.progress.mayBeEmitted(windowEnd);
      let position = this.cursor;
      while (position < keys.keys.length) {
        if ((++this.steps & 15) === 0 && this.pause(out)) {
          this.cursor = position;
          return false;
        }
        let front = fronts[position]!;
        while (front !== null && front.end <= start) front = front.next!;
        if (front === null && backFirst[position]! <= start) front = this.rebuild(position, start)!;
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

    /** Takes the slices of a window that are not in the stacks yet into the backs; false when it paused. */
    private fold(start: number, windowEnd: number, out: Output<unknown>): boolean {
      const { keys, backs, backFirst, accumulate } = this;
      const ends = this.ends.ends;
      for (let i = this.ends.firstAfter(Math.max(start, this.foldedThrough)); i < ends.length && ends[i]! <= windowEnd; i++) {
        const end = ends[i]!;
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
          const back = backs[position];
          if (back !== undefined) backs[position] = accumulate.merge(back, accumulator);
          else if (backFirst[position] !== Number.NEGATIVE_INFINITY) {
            backs[position] = accumulate.copy(accumulator);
            backFirst[position] = end;
          }
        }
        this.foldCursor = 0;
        this.foldedThrough = end;
      }
      this.foldedThrough = windowEnd;
      return true;
    }

    /** Turns all of a key's slices in the stacks that end after `start` into suffixes. */
    private rebuild(position: number, start: number): Suffix | null {
      const { accumulate } = this;
      const key = this.keys.keys[position];
      const hash = this.keys.hashes[position]!;
      const ends = this.ends.ends;
      let front: Suffix | null = null;
      for (let i = this.ends.firstAfter(this.foldedThrough) - 1; i >= 0 && ends[i]! > start; i--) {
        this.steps++;
        const slice = this.slices.existing(ends[i]!)!;
        const at = slice.find(key, hash);
        const own = at < 0 ? undefined : slice.get(at);
        if (own === undefined) continue;
        const copy = accumulate.copy(own);
        front = { end: ends[i]!, accumulator: front === null ? copy : accumulate.merge(copy, front.accumulator), next: front };
      }
      this.backs[position] = undefined;
      this.backFirst[position] = Number.POSITIVE_INFINITY;
      return front;
    }

    private addKey(key: unknown, hash: number): number {
      this.fronts.push(null);
      this.backs.push(undefined);
      this.backFirst.push(Number.POSITIVE_INFINITY);
      return this.keys.add(key, hash);
    }

    private removeKey(position: number): void {
      this.keys.remove(position);
      const front = this.fronts.pop()!;
      const back = this.backs.pop();
      const backFirst = this.backFirst.pop()!;
      if (position === this.fronts.length) return;
      this.fronts[position] = front;
      this.backs[position] = back;
      this.backFirst[position] = backFirst;
    }

    /** A record came into a slice that is in the key's stacks. */
    private mustRebuild(key: unknown, hash: number): void {
      let position = this.keys.find(key, hash);
      if (position < 0) position = this.addKey(key, hash);
      this.fronts[position] = null;
      this.backs[position] = undefined;
      this.backFirst[position] = Number.NEGATIVE_INFINITY;
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
  return (init, accumulate) => new SharedWindows(init, accumulate);
}

/**
 * Sliding and cumulating event-time windows over shared slices: a record is added once, whatever the number of windows it belongs to, and a firing costs
 * one merge per key, whatever the number of slices. Needs an aggregate that merges, or a commutative reduce: slices are combined in order of time.
 */
export function sharedWindows(init: SliceWindowInit): OneInputOperator {
  const id = init.context.operatorId;
  const make = specialize(sharedWindowsFactory, id)(SliceWindowBase, SortedEnds, KeyPositions, requireTimestamp);
  return make(init, specialize(accumulateFactory, id)()(init.reduce, init.aggregate));
}
