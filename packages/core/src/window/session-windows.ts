import { MillraceError } from "../errors/millrace-error.js";
import type { DurationLike } from "../time/duration.js";
import { requireTimestamp, windowLength } from "./assigner-support.js";
import { EventTimeTrigger } from "./event-time-trigger.js";
import { ProcessingTimeTrigger } from "./processing-time-trigger.js";
import type { Trigger } from "./trigger.js";
import type { WindowAssigner, WindowAssignerContext } from "./window-assigner.js";
import { timeWindowCodec, TimeWindow, type WindowCodec } from "./window.js";

/** The session gap of one record, in milliseconds; must be a positive integer (`SESSION_GAP_INVALID`). */
export type SessionGapExtractor<T> = (value: T) => number;

/** Merges windows that overlap or touch; calls `merge` for every group of two or more. Flink: TimeWindow.mergeWindows. */
export function mergeTimeWindows(windows: readonly TimeWindow[], merge: (toBeMerged: readonly TimeWindow[], result: TimeWindow) => void): void {
  const sorted = [...windows].sort((a, b) => a.startMs - b.startMs);
  let group: TimeWindow[] = [];
  let cover: TimeWindow | undefined;
  for (const window of sorted) {
    if (cover !== undefined && cover.intersects(window)) {
      cover = cover.cover(window);
      group.push(window);
      continue;
    }
    if (cover !== undefined && group.length > 1) merge(group, cover);
    cover = window;
    group = [window];
  }
  if (cover !== undefined && group.length > 1) merge(group, cover);
}

abstract class SessionWindows<T> implements WindowAssigner<T, TimeWindow> {
  abstract readonly isEventTime: boolean;
  readonly windowCodec: WindowCodec<TimeWindow> = timeWindowCodec;
  /** The gap of a record; constant for `withGap`. */
  readonly gapOf: SessionGapExtractor<T>;
  /** Marks the engine's own session semantics, which it may compute without per-window state. */
  readonly sessionWindows = true as const;

  constructor(gapOf: SessionGapExtractor<T>) {
    this.gapOf = gapOf;
  }

  abstract getDefaultTrigger(): Trigger<unknown, TimeWindow>;
  abstract assignWindows(value: T, timestampMs: number, context: WindowAssignerContext): readonly TimeWindow[];

  mergeWindows(windows: readonly TimeWindow[], merge: (toBeMerged: readonly TimeWindow[], result: TimeWindow) => void): void {
    mergeTimeWindows(windows, merge);
  }
}

/**
 * Sessions by event time: records of a key that follow each other within the gap. Touching sessions merge. Flink: EventTimeSessionWindows.
 *
 * `EventTimeSessionWindows.withGap("30 min")`, or `withDynamicGap((value) => value.timeoutMs)`.
 */
export class EventTimeSessionWindows<T = unknown> extends SessionWindows<T> {
  readonly isEventTime = true;

  static withGap(gap: DurationLike): EventTimeSessionWindows {
    return new EventTimeSessionWindows(constantGap("EventTimeSessionWindows", gap));
  }

  static withDynamicGap<T>(gapOf: SessionGapExtractor<T>): EventTimeSessionWindows<T> {
    return new EventTimeSessionWindows(checkedGap(gapOf));
  }

  assignWindows(value: T, timestampMs: number): readonly TimeWindow[] {
    requireTimestamp(timestampMs);
    return [new TimeWindow(timestampMs, timestampMs + this.gapOf(value))];
  }

  getDefaultTrigger(): EventTimeTrigger {
    return EventTimeTrigger.create();
  }
}

/** Sessions by processing time. Parameters as for {@link EventTimeSessionWindows}. */
export class ProcessingTimeSessionWindows<T = unknown> extends SessionWindows<T> {
  readonly isEventTime = false;

  static withGap(gap: DurationLike): ProcessingTimeSessionWindows {
    return new ProcessingTimeSessionWindows(constantGap("ProcessingTimeSessionWindows", gap));
  }

  static withDynamicGap<T>(gapOf: SessionGapExtractor<T>): ProcessingTimeSessionWindows<T> {
    return new ProcessingTimeSessionWindows(checkedGap(gapOf));
  }

  assignWindows(value: T, _timestampMs: number, context: WindowAssignerContext): readonly TimeWindow[] {
    const now = context.currentProcessingTime();
    return [new TimeWindow(now, now + this.gapOf(value))];
  }

  getDefaultTrigger(): ProcessingTimeTrigger {
    return ProcessingTimeTrigger.create();
  }
}

function constantGap(assigner: string, gap: DurationLike): () => number {
  const gapMs = windowLength(assigner, "the gap", gap);
  return () => gapMs;
}

function checkedGap<T>(gapOf: SessionGapExtractor<T>): SessionGapExtractor<T> {
  return (value) => {
    const gapMs = gapOf(value);
    if (Number.isSafeInteger(gapMs) && gapMs > 0) return gapMs;
    throw new MillraceError({
      code: "SESSION_GAP_INVALID",
      message: `the gap extractor of a session window returned ${String(gapMs)}`,
      hint: "return the gap as a positive integer number of milliseconds",
    });
  };
}
