import { duration, type DurationLike } from "../time/duration.js";
import { NO_TIMESTAMP } from "../time/timestamps.js";
import { EvictOnce } from "./evict-once.js";
import type { TimestampedValue } from "./evictor.js";

/** Keeps the records that are less than `windowSize` older than the newest one. Does nothing for records without time stamps. Flink: TimeEvictor. */
export class TimeEvictor extends EvictOnce<any> {
  readonly windowSizeMs: number;

  private constructor(windowSizeMs: number, doEvictAfter: boolean) {
    super(doEvictAfter);
    this.windowSizeMs = windowSizeMs;
  }

  static of(windowSize: DurationLike, doEvictAfter = false): TimeEvictor {
    return new TimeEvictor(duration(windowSize), doEvictAfter);
  }

  protected evict(elements: readonly TimestampedValue<any>[]): readonly TimestampedValue<any>[] {
    if (elements.length === 0 || elements[0]!.timestampMs === NO_TIMESTAMP) return elements;
    let newest = NO_TIMESTAMP;
    for (const element of elements) if (element.timestampMs > newest) newest = element.timestampMs;
    const cutOff = newest - this.windowSizeMs;
    return elements.filter((element) => element.timestampMs > cutOff);
  }
}
