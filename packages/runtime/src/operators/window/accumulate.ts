import type { AggregateFunction, ReduceFn } from "@millrace/core";

/** A reduce or aggregate function as the slice and session operators use it. */
export interface Accumulate {
  /** The accumulator of one record. */
  first(value: unknown): unknown;
  add(accumulator: unknown, value: unknown): unknown;
  /** May change `a` (so it must be a copy or a result of this), never `b`. */
  merge(a: unknown, b: unknown): unknown;
  /** An accumulator that `merge` may change. */
  copy(accumulator: unknown): unknown;
  result(accumulator: unknown): unknown;
}

/** Makes it; re-evaluated per operator as part of the code that uses it, see `specialize`. A reduce is its own merge and must not change its arguments. */
export function accumulateFactory(): (reduce: ReduceFn<unknown> | undefined, aggregate: AggregateFunction<unknown, unknown, unknown> | undefined) => Accumulate {
  class Reducing implements Accumulate {
    readonly reduce: ReduceFn<unknown>;
    constructor(reduce: ReduceFn<unknown>) {
      this.reduce = reduce;
    }
    first(value: unknown): unknown {
      return value;
    }
    add(accumulator: unknown, value: unknown): unknown {
      return this.reduce(accumulator, value);
    }
    merge(a: unknown, b: unknown): unknown {
      return this.reduce(a, b);
    }
    copy(accumulator: unknown): unknown {
      return accumulator;
    }
    result(accumulator: unknown): unknown {
      return accumulator;
    }
  }
  class Aggregating implements Accumulate {
    readonly aggregate: AggregateFunction<unknown, unknown, unknown>;
    constructor(aggregate: AggregateFunction<unknown, unknown, unknown>) {
      this.aggregate = aggregate;
    }
    first(value: unknown): unknown {
      return this.aggregate.add(value, this.aggregate.createAccumulator());
    }
    add(accumulator: unknown, value: unknown): unknown {
      return this.aggregate.add(value, accumulator);
    }
    merge(a: unknown, b: unknown): unknown {
      return this.aggregate.merge!(a, b);
    }
    copy(accumulator: unknown): unknown {
      return this.aggregate.merge!(this.aggregate.createAccumulator(), accumulator);
    }
    result(accumulator: unknown): unknown {
      return this.aggregate.getResult(accumulator);
    }
  }
  return (reduce, aggregate) => (reduce !== undefined ? new Reducing(reduce) : new Aggregating(aggregate!));
}
