import type { DeltaFunction } from "./delta.js";
import { EvictOnce } from "./evict-once.js";
import type { TimestampedValue } from "./evictor.js";

/** Keeps the records that are less than `threshold` away from the last one. Flink: DeltaEvictor. */
export class DeltaEvictor<T> extends EvictOnce<T> {
  readonly #threshold: number;
  readonly #delta: DeltaFunction<T>;

  private constructor(threshold: number, delta: DeltaFunction<T>, doEvictAfter: boolean) {
    super(doEvictAfter);
    this.#threshold = threshold;
    this.#delta = delta;
  }

  static of<T>(threshold: number, delta: DeltaFunction<T>, doEvictAfter = false): DeltaEvictor<T> {
    return new DeltaEvictor(threshold, delta, doEvictAfter);
  }

  protected evict(elements: readonly TimestampedValue<T>[]): readonly TimestampedValue<T>[] {
    const last = elements.at(-1);
    return last === undefined ? elements : elements.filter((element) => this.#delta(element.value, last.value) < this.#threshold);
  }
}
