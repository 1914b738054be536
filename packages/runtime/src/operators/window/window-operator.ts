import {
  MAX_WATERMARK, MillraceError, ValueStateDescriptor,
  type InternalTimerService, type OneInputOperator, type OperatorContext, type Output, type StateInitializationContext, type StateSnapshotContext,
  type TimerHandler, type Trigger, type TriggerResult, type ValueState, type Window, type WindowAssigner, type WindowAssignerContext,
} from "@millrace/core";
import { FunctionOperator } from "../function-operator.js";
import { LateRecords } from "./late-records.js";
import { MergingWindowSet, type WindowEntry } from "./merging-window-set.js";
import { RestoredWatermark } from "./restored-watermark.js";
import type { WindowContents } from "./window-contents.js";
import type { WindowEmitter } from "./window-emitter.js";
import type { WindowParts } from "./window-parts.js";
import { WindowTriggerContext } from "./window-trigger-context.js";

const mergingWindowsDescriptor = new ValueStateDescriptor<readonly WindowEntry[]>("merging-window-set");

/**
 * The general window operator: any assigner, trigger, evictor and function; a record is added to each of its windows, each window has timers of its own.
 *
 * Semantics, state per (key, window) and order of calls are those of Flink's WindowOperator and EvictingWindowOperator. Aligned event-time windows and
 * sessions with incremental functions have faster operators of their own with equal results.
 */
export class WindowOperator extends FunctionOperator implements OneInputOperator, TimerHandler {
  readonly #assigner: WindowAssigner<unknown, Window>;
  readonly #trigger: Trigger<unknown, Window>;
  readonly #contents: WindowContents;
  readonly #emitter: WindowEmitter;
  readonly #allowedLatenessMs: number;
  readonly #constantKey: boolean;
  readonly #late: LateRecords;
  readonly #restored: RestoredWatermark = new RestoredWatermark();
  readonly #timers: InternalTimerService;
  readonly #assignerContext: WindowAssignerContext;
  readonly #triggerContext: WindowTriggerContext;
  #mergingWindows: ValueState<readonly WindowEntry[]> | undefined;

  constructor(parts: WindowParts, contents: WindowContents, context: OperatorContext) {
    super(context, parts.emitter.rich);
    this.#assigner = parts.assigner;
    this.#trigger = parts.trigger;
    this.#contents = contents;
    this.#emitter = parts.emitter;
    this.#allowedLatenessMs = parts.allowedLatenessMs;
    this.#constantKey = parts.constantKey;
    this.#late = new LateRecords(context, parts.lateTag);
    this.#timers = context.timers("window-timers", this);
    const timers = this.#timers;
    this.#assignerContext = { currentProcessingTime: () => timers.currentProcessingTime() };
    this.#triggerContext = new WindowTriggerContext(timers, context.keyedState, () => this.#watermarkMs);
  }

  get #watermarkMs(): number {
    return Math.max(this.#timers.currentWatermark, this.#restored.timestampMs);
  }

  get #merging(): boolean {
    return this.#assigner.mergeWindows !== undefined;
  }

  protected override setup(context: StateInitializationContext): void {
    this.#restored.open(context);
    this.#contents.open(this.context, () => this.#watermarkMs);
    this.#emitter.open(this.context, this.#merging, () => this.#watermarkMs);
    if (this.#merging) this.#mergingWindows = this.context.keyedState.getState(mergingWindowsDescriptor);
  }

  override snapshotState(context: StateSnapshotContext): void | Promise<void> {
    this.#restored.snapshot(this.#timers.currentWatermark);
    return super.snapshotState(context);
  }

  processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
    if (this.#constantKey) this.context.keyedState.setCurrentKey(0);
    const windows = this.#assigner.assignWindows(value, timestampMs, this.#assignerContext);
    const taken = this.#merging ? this.#addMerging(windows, value, timestampMs, out) : this.#addToAll(windows, value, timestampMs, out);
    if (!taken && this.#assigner.isEventTime && timestampMs + this.#allowedLatenessMs <= this.#watermarkMs) this.#late.add(value, timestampMs, out);
  }

  /** Tells whether any window took the record. */
  #addToAll(windows: readonly Window[], value: unknown, timestampMs: number, out: Output<unknown>): boolean {
    let taken = false;
    for (const window of windows) {
      if (this.#isLate(window)) continue;
      taken = true;
      const windowId = this.#assigner.windowCodec.encode(window);
      this.#addTo(window, windowId, windowId, value, timestampMs, out);
    }
    return taken;
  }

  #addMerging(windows: readonly Window[], value: unknown, timestampMs: number, out: Output<unknown>): boolean {
    const set = this.#mergingWindowSet();
    let taken = false;
    for (const window of windows) {
      const actual = set.add(window, (result, merged, stateWindowId, sources) => this.#merge(result, merged, stateWindowId, sources));
      const windowId = this.#assigner.windowCodec.encode(actual);
      if (this.#isLate(actual)) {
        set.retire(windowId);
        continue;
      }
      taken = true;
      this.#addTo(actual, windowId, set.stateWindowOf(windowId)!, value, timestampMs, out);
    }
    this.#persist(set);
    return taken;
  }

  #addTo(window: Window, windowId: string, namespace: string, value: unknown, timestampMs: number, out: Output<unknown>): void {
    this.#contents.add(namespace, value, timestampMs);
    const result = this.#trigger.onElement(value, timestampMs, window, this.#triggerContext.at(windowId));
    this.#apply(result, window, windowId, namespace, out);
    const cleanupMs = this.#cleanupTimeMs(window);
    if (cleanupMs === MAX_WATERMARK) return;
    this.#triggerContext.at(windowId);
    if (this.#assigner.isEventTime) this.#triggerContext.registerEventTimeTimer(cleanupMs);
    else this.#triggerContext.registerProcessingTimeTimer(cleanupMs);
  }

  #apply(result: TriggerResult, window: Window, windowId: string, namespace: string, out: Output<unknown>): void {
    if (result === "CONTINUE") return;
    if (result !== "PURGE") this.#contents.emit(namespace, this.context.keyedState.currentKey, window, windowId, this.#emitter, out);
    if (result !== "FIRE") this.#contents.clear(namespace);
  }

  #merge(result: Window, merged: readonly Window[], stateWindowId: string, sources: readonly string[]): void {
    const { windowCodec, isEventTime } = this.#assigner;
    const nowMs = isEventTime ? this.#watermarkMs - this.#allowedLatenessMs : this.#timers.currentProcessingTime();
    if (result.maxTimestampMs <= nowMs) throw this.#mergedIntoThePast(result);
    const context = this.#triggerContext;
    context.mergedWindowIds = merged.map((window) => windowCodec.encode(window));
    this.#trigger.onMerge!(result, context.at(windowCodec.encode(result)));
    for (const window of merged) {
      this.#trigger.clear(window, context.at(windowCodec.encode(window)));
      const cleanupMs = this.#cleanupTimeMs(window);
      if (cleanupMs === MAX_WATERMARK) continue;
      if (isEventTime) context.deleteEventTimeTimer(cleanupMs);
      else context.deleteProcessingTimeTimer(cleanupMs);
    }
    this.#contents.merge(stateWindowId, sources);
  }

  onEventTime(timestampMs: number, windowId: string, out: Output<unknown>): void {
    this.#onTimer(timestampMs, windowId, true, out);
  }

  onProcessingTime(timestampMs: number, windowId: string, out: Output<unknown>): void {
    this.#onTimer(timestampMs, windowId, false, out);
  }

  #onTimer(timestampMs: number, windowId: string, eventTime: boolean, out: Output<unknown>): void {
    const window = this.#assigner.windowCodec.decode(windowId);
    let set: MergingWindowSet<Window> | undefined;
    let namespace: string = windowId;
    if (this.#merging) {
      set = this.#mergingWindowSet();
      const stateWindowId = set.stateWindowOf(windowId);
      // A timer the trigger did not delete when its window merged into another.
      if (stateWindowId === undefined) return;
      namespace = stateWindowId;
    }
    const context = this.#triggerContext.at(windowId);
    const result = eventTime ? this.#trigger.onEventTime(timestampMs, window, context) : this.#trigger.onProcessingTime(timestampMs, window, context);
    this.#apply(result, window, windowId, namespace, out);
    if (eventTime === this.#assigner.isEventTime && timestampMs === this.#cleanupTimeMs(window)) {
      this.#contents.clear(namespace);
      this.#trigger.clear(window, context.at(windowId));
      if (this.#emitter.clears) this.#emitter.clear(window, windowId, out);
      set?.retire(windowId);
    }
    if (set !== undefined) this.#persist(set);
  }

  #mergingWindowSet(): MergingWindowSet<Window> {
    return new MergingWindowSet(this.#assigner, this.#mergingWindows!.value() ?? []);
  }

  #persist(set: MergingWindowSet<Window>): void {
    if (!set.changed) return;
    const entries = set.entries();
    if (entries.length === 0) this.#mergingWindows!.clear();
    else this.#mergingWindows!.update(entries);
  }

  /** When a window's state goes; `MAX_WATERMARK` for never. */
  #cleanupTimeMs(window: Window): number {
    return this.#assigner.isEventTime ? Math.min(window.maxTimestampMs + this.#allowedLatenessMs, MAX_WATERMARK) : window.maxTimestampMs;
  }

  #isLate(window: Window): boolean {
    return this.#assigner.isEventTime && this.#cleanupTimeMs(window) <= this.#watermarkMs;
  }

  #mergedIntoThePast(window: Window): MillraceError {
    return new MillraceError({
      code: "WINDOW_MERGED_INTO_THE_PAST",
      message: `windows merged into ${String(window)}, which ends before the operator's current time and could not be emitted any more`,
      hint: "a merging assigner's result must cover the windows it merges",
      location: { operator: this.context.operatorName, operatorId: this.context.operatorId, subtask: this.context.subtaskIndex },
    });
  }
}
