import type { DurationLike } from "../time/duration.js";
import { checkOffset, requireTimestamp, windowLength, windowOffset, type WindowOffset } from "./assigner-support.js";
import { EventTimeTrigger } from "./event-time-trigger.js";
import { ProcessingTimeTrigger } from "./processing-time-trigger.js";
import type { SlicedWindows, WindowAssigner, WindowAssignerContext } from "./window-assigner.js";
import type { Trigger } from "./trigger.js";
import { timeWindowCodec, TimeWindow, windowStart, type WindowCodec } from "./window.js";

abstract class SlidingWindows implements WindowAssigner<unknown, TimeWindow> {
  abstract readonly isEventTime: boolean;
  readonly windowCodec: WindowCodec<TimeWindow> = timeWindowCodec;
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;

  constructor(assigner: string, size: DurationLike, slide: DurationLike, offset: WindowOffset) {
    this.sizeMs = windowLength(assigner, "the size", size);
    this.slideMs = windowLength(assigner, "the slide", slide);
    this.offsetMs = windowOffset(offset);
    checkOffset(assigner, this.offsetMs, this.slideMs);
  }

  abstract getDefaultTrigger(): Trigger<unknown, TimeWindow>;
  abstract assignWindows(value: unknown, timestampMs: number, context: WindowAssignerContext): readonly TimeWindow[];

  /** Latest window first. */
  protected windowsOf(timeMs: number): TimeWindow[] {
    const windows: TimeWindow[] = [];
    for (let start = windowStart(timeMs, this.offsetMs, this.slideMs); start > timeMs - this.sizeMs; start -= this.slideMs) {
      windows.push(new TimeWindow(start, start + this.sizeMs));
    }
    return windows;
  }
}

/**
 * Windows of one size by event time, a new one every `slide`; a record belongs to `size / slide` of them. With a slide longer than the size some
 * records belong to none. `WINDOW_INVALID` for lengths that are not positive or an offset as long as the slide. Flink: SlidingEventTimeWindows.
 */
export class SlidingEventTimeWindows extends SlidingWindows {
  readonly isEventTime = true;

  static of(size: DurationLike, slide: DurationLike, offset: WindowOffset = 0): SlidingEventTimeWindows {
    return new SlidingEventTimeWindows("SlidingEventTimeWindows", size, slide, offset);
  }

  assignWindows(_value: unknown, timestampMs: number): readonly TimeWindow[] {
    requireTimestamp(timestampMs);
    return this.windowsOf(timestampMs);
  }

  getDefaultTrigger(): EventTimeTrigger {
    return EventTimeTrigger.create();
  }

  get sliced(): SlicedWindows {
    return { kind: "sliding", sizeMs: this.sizeMs, slideMs: this.slideMs, offsetMs: this.offsetMs };
  }
}

/** Sliding windows by processing time. Parameters as for {@link SlidingEventTimeWindows}. */
export class SlidingProcessingTimeWindows extends SlidingWindows {
  readonly isEventTime = false;

  static of(size: DurationLike, slide: DurationLike, offset: WindowOffset = 0): SlidingProcessingTimeWindows {
    return new SlidingProcessingTimeWindows("SlidingProcessingTimeWindows", size, slide, offset);
  }

  assignWindows(_value: unknown, _timestampMs: number, context: WindowAssignerContext): readonly TimeWindow[] {
    return this.windowsOf(context.currentProcessingTime());
  }

  getDefaultTrigger(): ProcessingTimeTrigger {
    return ProcessingTimeTrigger.create();
  }
}
