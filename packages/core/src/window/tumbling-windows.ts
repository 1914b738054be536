import type { DurationLike } from "../time/duration.js";
import { checkOffset, requireTimestamp, windowLength, windowOffset, type WindowOffset } from "./assigner-support.js";
import { EventTimeTrigger } from "./event-time-trigger.js";
import { ProcessingTimeTrigger } from "./processing-time-trigger.js";
import type { SlicedWindows, WindowAssigner, WindowAssignerContext } from "./window-assigner.js";
import type { Trigger } from "./trigger.js";
import { staggerOffsetMs, type WindowStagger } from "./window-stagger.js";
import { timeWindowCodec, TimeWindow, windowStart, type WindowCodec } from "./window.js";

abstract class TumblingWindows implements WindowAssigner<unknown, TimeWindow> {
  abstract readonly isEventTime: boolean;
  readonly windowCodec: WindowCodec<TimeWindow> = timeWindowCodec;
  readonly sizeMs: number;
  readonly offsetMs: number;
  readonly stagger: WindowStagger;
  readonly #random: () => number;
  /** Fixed by the first record of the subtask; `undefined` until then. */
  #shiftMs: number | undefined;

  constructor(sizeMs: number, offsetMs: number, stagger: WindowStagger, random: () => number) {
    this.sizeMs = sizeMs;
    this.offsetMs = offsetMs;
    this.stagger = stagger;
    this.#random = random;
    this.#shiftMs = stagger === "ALIGNED" ? 0 : undefined;
  }

  abstract getDefaultTrigger(): Trigger<unknown, TimeWindow>;
  abstract assignWindows(value: unknown, timestampMs: number, context: WindowAssignerContext): readonly TimeWindow[];

  protected windowOf(timeMs: number, context: WindowAssignerContext): TimeWindow {
    this.#shiftMs ??= staggerOffsetMs(this.stagger, this.sizeMs, context.currentProcessingTime(), this.#random);
    const start = windowStart(timeMs, (this.offsetMs + this.#shiftMs) % this.sizeMs, this.sizeMs);
    return new TimeWindow(start, start + this.sizeMs);
  }
}

const half = (): number => 0.5;

/**
 * Fixed-size windows by event time that do not overlap.
 *
 * `TumblingEventTimeWindows.of("1 min")`; the offset shifts the alignment from the epoch: `of("1 d", "-8 h")` are days of UTC+8.
 * `WINDOW_INVALID` for a size that is not positive or an offset as long as the size. Flink: TumblingEventTimeWindows.
 */
export class TumblingEventTimeWindows extends TumblingWindows {
  readonly isEventTime = true;

  static of(size: DurationLike, offset: WindowOffset = 0, stagger: WindowStagger = "ALIGNED"): TumblingEventTimeWindows {
    return new TumblingEventTimeWindows(...checked("TumblingEventTimeWindows", size, offset), stagger, half);
  }

  assignWindows(_value: unknown, timestampMs: number, context: WindowAssignerContext): readonly TimeWindow[] {
    requireTimestamp(timestampMs);
    return [this.windowOf(timestampMs, context)];
  }

  getDefaultTrigger(): EventTimeTrigger {
    return EventTimeTrigger.create();
  }

  /** Only aligned ones: the shift of a staggered assigner is known after the first record. */
  get sliced(): SlicedWindows | undefined {
    return this.stagger === "ALIGNED" ? { kind: "tumbling", sizeMs: this.sizeMs, slideMs: this.sizeMs, offsetMs: this.offsetMs } : undefined;
  }

  forOperator(random: () => number): TumblingEventTimeWindows {
    return this.stagger === "ALIGNED" ? this : new TumblingEventTimeWindows(this.sizeMs, this.offsetMs, this.stagger, random);
  }
}

/** Fixed-size windows by processing time that do not overlap. Parameters as for {@link TumblingEventTimeWindows}. */
export class TumblingProcessingTimeWindows extends TumblingWindows {
  readonly isEventTime = false;

  static of(size: DurationLike, offset: WindowOffset = 0, stagger: WindowStagger = "ALIGNED"): TumblingProcessingTimeWindows {
    return new TumblingProcessingTimeWindows(...checked("TumblingProcessingTimeWindows", size, offset), stagger, half);
  }

  assignWindows(_value: unknown, _timestampMs: number, context: WindowAssignerContext): readonly TimeWindow[] {
    return [this.windowOf(context.currentProcessingTime(), context)];
  }

  getDefaultTrigger(): ProcessingTimeTrigger {
    return ProcessingTimeTrigger.create();
  }

  forOperator(random: () => number): TumblingProcessingTimeWindows {
    return this.stagger === "ALIGNED" ? this : new TumblingProcessingTimeWindows(this.sizeMs, this.offsetMs, this.stagger, random);
  }
}

function checked(assigner: string, size: DurationLike, offset: WindowOffset): [number, number] {
  const sizeMs = windowLength(assigner, "the size", size);
  const offsetMs = windowOffset(offset);
  checkOffset(assigner, offsetMs, sizeMs);
  return [sizeMs, offsetMs];
}
