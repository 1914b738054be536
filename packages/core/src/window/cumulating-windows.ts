import type { DurationLike } from "../time/duration.js";
import { checkOffset, invalidWindow, requireTimestamp, windowLength, windowOffset, type WindowOffset } from "./assigner-support.js";
import { EventTimeTrigger } from "./event-time-trigger.js";
import type { SlicedWindows, WindowAssigner } from "./window-assigner.js";
import { timeWindowCodec, TimeWindow, windowStart, type WindowCodec } from "./window.js";

/**
 * Windows that grow by `step` until they are `maxSize` long, then start again: running totals of the day, every hour.
 *
 * `CumulatingEventTimeWindows.of("1 d", "1 h")`. `WINDOW_INVALID` unless `maxSize` is a multiple of `step`. Flink: CUMULATE in SQL.
 */
export class CumulatingEventTimeWindows implements WindowAssigner<unknown, TimeWindow> {
  readonly isEventTime = true;
  readonly windowCodec: WindowCodec<TimeWindow> = timeWindowCodec;
  readonly maxSizeMs: number;
  readonly stepMs: number;
  readonly offsetMs: number;

  private constructor(maxSizeMs: number, stepMs: number, offsetMs: number) {
    this.maxSizeMs = maxSizeMs;
    this.stepMs = stepMs;
    this.offsetMs = offsetMs;
  }

  static of(maxSize: DurationLike, step: DurationLike, offset: WindowOffset = 0): CumulatingEventTimeWindows {
    const name = "CumulatingEventTimeWindows";
    const maxSizeMs = windowLength(name, "the maximum size", maxSize);
    const stepMs = windowLength(name, "the step", step);
    if (maxSizeMs % stepMs !== 0) throw invalidWindow(name, `the maximum size (${maxSizeMs} ms) is not a multiple of the step (${stepMs} ms)`, "change one of the two");
    const offsetMs = windowOffset(offset);
    checkOffset(name, offsetMs, maxSizeMs);
    return new CumulatingEventTimeWindows(maxSizeMs, stepMs, offsetMs);
  }

  assignWindows(_value: unknown, timestampMs: number): readonly TimeWindow[] {
    requireTimestamp(timestampMs);
    const start = windowStart(timestampMs, this.offsetMs, this.maxSizeMs);
    const windows: TimeWindow[] = [];
    for (let end = windowStart(timestampMs, start, this.stepMs) + this.stepMs; end <= start + this.maxSizeMs; end += this.stepMs) {
      windows.push(new TimeWindow(start, end));
    }
    return windows;
  }

  getDefaultTrigger(): EventTimeTrigger {
    return EventTimeTrigger.create();
  }

  get sliced(): SlicedWindows {
    return { kind: "cumulating", sizeMs: this.maxSizeMs, slideMs: this.stepMs, offsetMs: this.offsetMs };
  }
}
