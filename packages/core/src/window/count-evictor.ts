import { EvictOnce } from "./evict-once.js";
import type { TimestampedValue } from "./evictor.js";

/** Keeps the last `maxCount` records of a window. Flink: CountEvictor. */
export class CountEvictor extends EvictOnce<any> {
  readonly maxCount: number;

  private constructor(maxCount: number, doEvictAfter: boolean) {
    super(doEvictAfter);
    this.maxCount = maxCount;
  }

  static of(maxCount: number, doEvictAfter = false): CountEvictor {
    return new CountEvictor(maxCount, doEvictAfter);
  }

  protected evict(elements: readonly TimestampedValue<any>[]): readonly TimestampedValue<any>[] {
    return elements.length <= this.maxCount ? elements : elements.slice(elements.length - this.maxCount);
  }
}
