import {
  keyGroupOf, ListStateDescriptor, MIN_WATERMARK, Types,
  type OperatorContext, type OperatorListState, type SliceTable, type StateInitializationContext,
} from "@millrace/core";

/** How far the key groups of one subtask were: its watermark, and the end of the last window it had emitted completely. */
interface ProgressEntry {
  readonly firstKeyGroup: number;
  readonly lastKeyGroup: number;
  readonly watermarkMs: number;
  /** `null` for "none yet": minus infinity. */
  readonly emittedThrough: number | null;
}

const descriptor = new ListStateDescriptor<ProgressEntry>(
  "slice-progress",
  Types.object({ firstKeyGroup: Types.number, lastKeyGroup: Types.number, watermarkMs: Types.number, emittedThrough: Types.nullable(Types.number) }),
);

/**
 * What a slice operator remembers of its emissions in a checkpoint, so that after a restore (also with another parallelism) every window is emitted
 * exactly once per key, and a record is late exactly when it would have been late without the failure.
 *
 * Invariants: a window is emitted for a key iff it ended at or before `emittedThrough` of the key's group, or the key is in the table of emitted keys
 * under that window. That table is filled only by a snapshot that finds an emission half done.
 */
export class SliceProgress {
  /** Smallest watermark of the restored subtasks. */
  watermarkMs: number = MIN_WATERMARK;
  /** Every restored key group has emitted the windows up to here. */
  emittedThrough: number = Number.NEGATIVE_INFINITY;
  /** Some restored key group has emitted windows up to here. */
  #someEmittedThrough: number = Number.NEGATIVE_INFINITY;
  #someWatermarkMs: number = MIN_WATERMARK;
  #entries: readonly ProgressEntry[] = [];
  #state!: OperatorListState<ProgressEntry>;
  #emitted!: SliceTable<unknown, boolean>;
  /** Windows in the table of emitted keys. */
  #halfEmitted: Set<number> = new Set();
  #keyGroupRange!: readonly [number, number];
  #maxParallelism = 0;

  open(context: OperatorContext, init: StateInitializationContext): void {
    this.#emitted = context.keyedState.sliceTable<boolean>("emitted-keys");
    this.#halfEmitted = new Set(this.#emitted.namespaces());
    this.#keyGroupRange = context.keyedState.keyGroupRange;
    this.#maxParallelism = context.keyedState.maxParallelism;
    this.#state = init.operatorState.getUnionListState(descriptor);
    if (!init.isRestored) return;
    const [first, last] = this.#keyGroupRange;
    this.#entries = [...this.#state.get()].filter((entry) => entry.firstKeyGroup <= last && entry.lastKeyGroup >= first);
    if (this.#entries.length === 0) return;
    const watermarks = this.#entries.map((entry) => entry.watermarkMs);
    const ends = this.#entries.map((entry) => entry.emittedThrough ?? Number.NEGATIVE_INFINITY);
    this.watermarkMs = Math.min(...watermarks);
    this.#someWatermarkMs = Math.max(...watermarks);
    this.emittedThrough = Math.min(...ends);
    this.#someEmittedThrough = Math.max(...ends);
  }

  /** Whether some keys may already have emitted this window before the restore, so that {@link isEmitted} must be asked. */
  mayBeEmitted(windowEnd: number): boolean {
    return windowEnd <= this.#someEmittedThrough || this.#halfEmitted.has(windowEnd);
  }

  isEmitted(windowEnd: number, key: unknown, hash: number): boolean {
    if (windowEnd <= this.#someEmittedThrough && windowEnd <= (this.#entryOf(hash)?.emittedThrough ?? Number.NEGATIVE_INFINITY)) return true;
    const emitted = this.#emitted.existing(windowEnd);
    return emitted !== undefined && emitted.find(key, hash) >= 0;
  }

  /** A key group that was further when it was snapshotted keeps the watermark it had then until all have caught up. */
  watermarkOf(hash: number, currentWatermarkMs: number): number {
    if (this.caughtUp(currentWatermarkMs)) return currentWatermarkMs;
    return Math.max(currentWatermarkMs, this.#entryOf(hash)?.watermarkMs ?? MIN_WATERMARK);
  }

  /** False while some restored key group is still ahead of this watermark. */
  caughtUp(currentWatermarkMs: number): boolean {
    return currentWatermarkMs >= this.#someWatermarkMs;
  }

  /** Notes that a key has emitted a window whose emission is half done. */
  markEmitted(windowEnd: number, key: unknown, hash: number): void {
    const emitted = this.#emitted.slice(windowEnd);
    emitted.set(emitted.upsert(key, hash), true);
    this.#halfEmitted.add(windowEnd);
  }

  /** Every key has emitted the window. */
  completed(windowEnd: number): void {
    if (this.#halfEmitted.delete(windowEnd)) this.#emitted.drop(windowEnd);
  }

  snapshot(watermarkMs: number, emittedThrough: number): void {
    const [firstKeyGroup, lastKeyGroup] = this.#keyGroupRange;
    const own = { firstKeyGroup, lastKeyGroup, watermarkMs, emittedThrough: Number.isFinite(emittedThrough) ? emittedThrough : null };
    // Key groups restored from subtasks that were further stay further.
    const ahead = this.#entries.filter((entry) => entry.watermarkMs > watermarkMs || (entry.emittedThrough ?? Number.NEGATIVE_INFINITY) > emittedThrough);
    if (ahead.length === 0) this.#state.update([own]);
    else this.#state.update(perKeyGroup(own, ahead));
  }

  #entryOf(hash: number): ProgressEntry | undefined {
    const keyGroup = keyGroupOf(hash, this.#maxParallelism);
    return this.#entries.find((entry) => entry.firstKeyGroup <= keyGroup && keyGroup <= entry.lastKeyGroup);
  }
}

/** One entry for each key group of `own`, at least as far as the entries that are ahead. */
function perKeyGroup(own: ProgressEntry, ahead: readonly ProgressEntry[]): ProgressEntry[] {
  const entries: ProgressEntry[] = [];
  for (let keyGroup = own.firstKeyGroup; keyGroup <= own.lastKeyGroup; keyGroup++) {
    const further = ahead.find((entry) => entry.firstKeyGroup <= keyGroup && keyGroup <= entry.lastKeyGroup);
    const through = Math.max(own.emittedThrough ?? Number.NEGATIVE_INFINITY, further?.emittedThrough ?? Number.NEGATIVE_INFINITY);
    entries.push({
      firstKeyGroup: keyGroup,
      lastKeyGroup: keyGroup,
      watermarkMs: Math.max(own.watermarkMs, further?.watermarkMs ?? MIN_WATERMARK),
      emittedThrough: Number.isFinite(through) ? through : null,
    });
  }
  return entries;
}
