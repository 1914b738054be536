import { invalidOption } from "@millrace/core";

/** The parameters of a query: each set is a split of its own. Flink: JdbcParameterValuesProvider. */
export interface JdbcParameterValuesProvider {
  getParameterValues(): readonly (readonly unknown[])[];
}

/** Sets that you list. Flink: JdbcGenericParameterValuesProvider. */
export class JdbcGenericParameterValuesProvider implements JdbcParameterValuesProvider {
  readonly #values: readonly (readonly unknown[])[];

  constructor(values: readonly (readonly unknown[])[]) {
    this.#values = values;
  }

  getParameterValues(): readonly (readonly unknown[])[] {
    return this.#values;
  }
}

/**
 * Ranges for a query with `BETWEEN`, both ends included, that follow one another without gap. Flink: JdbcNumericBetweenParametersProvider.
 *
 * ```ts
 * new JdbcNumericBetweenParametersProvider(0, 999_999).ofBatchNum(8); // for "… WHERE id BETWEEN $1 AND $2"
 * ```
 */
export class JdbcNumericBetweenParametersProvider implements JdbcParameterValuesProvider {
  readonly #min: bigint;
  readonly #max: bigint;
  #batches: number = 1;

  /** @throws `OPTION_INVALID` */
  constructor(min: number | bigint, max: number | bigint) {
    for (const bound of [min, max]) if (typeof bound === "number" && !Number.isSafeInteger(bound)) throw invalidOption("parameters", `the bound ${bound} is no safe integer`, "give a bigint beyond 2^53");
    this.#min = BigInt(min);
    this.#max = BigInt(max);
    if (this.#min > this.#max) throw invalidOption("parameters", `the bounds ${min} and ${max} are the wrong way round`);
  }

  /** So many ranges, of equal width. @throws `OPTION_INVALID` */
  ofBatchNum(count: number): this {
    if (!(Number.isSafeInteger(count) && count >= 1)) throw invalidOption("parameters", `${count} is no number of batches`);
    this.#batches = count;
    return this;
  }

  /** Ranges of this width. @throws `OPTION_INVALID` */
  ofBatchSize(size: number): this {
    if (!(Number.isSafeInteger(size) && size >= 1)) throw invalidOption("parameters", `${size} is no size of a batch`);
    return this.ofBatchNum(Number((this.#max - this.#min) / BigInt(size) + 1n));
  }

  getParameterValues(): readonly (readonly bigint[])[] {
    const bounds = evenBounds(this.#min, this.#max, this.#batches);
    return bounds.slice(0, -1).map((lower, i) => [lower, bounds[i + 1]! - 1n]);
  }
}

/** Where `count` ranges of [min, max] begin, and behind them max + 1. Fewer when there are not so many numbers. */
export function evenBounds(min: bigint, max: bigint, count: number): bigint[] {
  const span = max - min + 1n;
  const ranges = BigInt(count) < span ? BigInt(count) : span;
  return Array.from({ length: Number(ranges) + 1 }, (_, i) => min + (span * BigInt(i)) / ranges);
}
