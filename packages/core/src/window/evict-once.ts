import type { Evictor, EvictorContext, TimestampedValue } from "./evictor.js";
import type { Window } from "./window.js";

/** An evictor with one rule, applied either before or after the window function. */
export abstract class EvictOnce<T> implements Evictor<T, Window> {
  readonly #after: boolean;

  constructor(doEvictAfter: boolean) {
    this.#after = doEvictAfter;
  }

  protected abstract evict(elements: readonly TimestampedValue<T>[]): readonly TimestampedValue<T>[];

  evictBefore(elements: readonly TimestampedValue<T>[], _window: Window, _context: EvictorContext): readonly TimestampedValue<T>[] {
    return this.#after ? elements : this.evict(elements);
  }

  evictAfter(elements: readonly TimestampedValue<T>[], _window: Window, _context: EvictorContext): readonly TimestampedValue<T>[] {
    return this.#after ? this.evict(elements) : elements;
  }
}
