import {
  MIN_WATERMARK, timeWindowCodec, TimeWindow, type OneInputOperator, type OperatorContext, type Output, type RecordBatch, type StateInitializationContext, type StateSnapshotContext,
} from "@millrace/core";
import { EMISSION_BUDGET } from "../emission-budget.js";
import { FunctionOperator } from "../function-operator.js";
import { LateRecords } from "./late-records.js";
import type { SliceGeometry } from "./slice-geometry.js";
import { SliceProgress } from "./slice-progress.js";
import type { WindowEmitter } from "./window-emitter.js";
import type { WindowParts } from "./window-parts.js";

/** Emissions look whether to pause once per this many records; a power of two. */
const PAUSE_EVERY = 16;

/**
 * What the operators for aligned event-time windows share: time, late records, resumable emission and progress in snapshots.
 *
 * Records go into tables per slice (or window) without timers; when the watermark passes a window's end, one pass over tables emits it.
 * Invariants between calls: every window that ended at or before `emittedThrough` has been emitted; a window that is half emitted is in `emitting`
 * with everything before `cursor` emitted; the fast path of subclasses is closed while a record could be late.
 */
export abstract class SliceWindowBase extends FunctionOperator implements OneInputOperator {
  protected readonly geometry: SliceGeometry;
  protected readonly emitter: WindowEmitter;
  protected readonly allowedLatenessMs: number;
  protected readonly constantKey: boolean;
  protected readonly late: LateRecords;
  protected readonly progress: SliceProgress = new SliceProgress();
  protected watermarkMs: number = MIN_WATERMARK;
  /** Position of the next key to emit in the window being emitted. */
  protected cursor = 0;
  private emittedThrough: number = Number.NEGATIVE_INFINITY;
  private emitting: number | undefined = undefined;
  /** Keys before this position of the window being emitted are noted as emitted. */
  private marked = 0;
  private budget = 0;
  private restoring = false;

  constructor(parts: WindowParts, geometry: SliceGeometry, context: OperatorContext) {
    super(context, parts.emitter.rich);
    this.geometry = geometry;
    this.emitter = parts.emitter;
    this.allowedLatenessMs = parts.allowedLatenessMs;
    this.constantKey = parts.constantKey;
    this.late = new LateRecords(context, parts.lateTag);
  }

  /** Closes the fast path: the watermark has moved, or slices went. */
  protected abstract closeFastPath(): void;
  protected abstract openTables(): void;
  /** End of the first window with records that ends after `end`. */
  protected abstract nextWindowEnd(end: number): number | undefined;
  /** Emits a window from `cursor` on; false when {@link pause} said so, with `cursor` where to go on. */
  protected abstract fire(windowEnd: number, out: Output<unknown>): boolean;
  /** Notes the keys at positions from (inclusive) to (exclusive) of the window being emitted. */
  protected abstract markEmitted(windowEnd: number, from: number, to: number): void;
  /** Drops what no window needs any more. */
  protected abstract cleanUp(): void;
  abstract processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void;
  abstract processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void;

  protected override setup(init: StateInitializationContext): void {
    this.progress.open(this.context, init);
    this.openTables();
    this.emitter.open(this.context, false, () => this.watermarkMs);
    this.watermarkMs = this.progress.watermarkMs;
    this.emittedThrough = this.progress.emittedThrough;
    this.restoring = this.watermarkMs !== MIN_WATERMARK;
  }

  processWatermark(timestampMs: number, out: Output<unknown>): boolean | void {
    this.finishRestored(out);
    if (timestampMs > this.watermarkMs) this.watermarkMs = timestampMs;
    this.closeFastPath();
    this.budget = EMISSION_BUDGET;
    if (!this.emitDue(out)) return false;
    this.cleanUp();
    out.emitWatermark(timestampMs);
  }

  prepareSnapshot(): void {
    if (this.emitting === undefined || this.marked === this.cursor) return;
    this.markEmitted(this.emitting, this.marked, this.cursor);
    this.marked = this.cursor;
  }

  override snapshotState(context: StateSnapshotContext): void | Promise<void> {
    this.progress.snapshot(this.watermarkMs, this.emittedThrough);
    return super.snapshotState(context);
  }

  /** Emits what a snapshot in the middle of an emission had left, before anything else happens. Called before the first record or watermark. */
  protected finishRestored(out: Output<unknown>): void {
    if (!this.restoring) return;
    this.restoring = false;
    this.budget = Number.POSITIVE_INFINITY;
    this.emitDue(out);
    this.cleanUp();
  }

  /** Emits every window that is complete; false when it paused. */
  private emitDue(out: Output<unknown>): boolean {
    for (;;) {
      const end = this.emitting ?? this.nextWindowEnd(this.emittedThrough);
      if (end === undefined || end - 1 > this.watermarkMs) break;
      this.emitting = end;
      if (!this.fire(end, out)) return false;
      this.progress.completed(end);
      this.emitting = undefined;
      this.emittedThrough = end;
      this.cursor = 0;
      this.marked = 0;
    }
    this.emittedThrough = Math.max(this.emittedThrough, this.geometry.lastCompleteEnd(this.watermarkMs));
    return true;
  }

  /** Asked once per {@link PAUSE_EVERY} steps of an emission. */
  protected pause(out: Output<unknown>): boolean {
    this.budget -= PAUSE_EVERY;
    return this.budget < Number.POSITIVE_INFINITY && (this.budget <= 0 || out.blocked);
  }

  protected windowOf(end: number): TimeWindow {
    return new TimeWindow(this.geometry.windowStart(end), end);
  }

  /** Emits one key's result of a window through the window function. */
  protected emitThroughFunction(key: unknown, hash: number, window: TimeWindow, result: unknown, out: Output<unknown>): void {
    this.context.keyedState.setCurrentKey(key, hash);
    this.emitter.emitOne(key, window, timeWindowCodec.encode(window), result, out);
  }
}
