import { Average, CountHistogram, ListAccumulator, Maximum, Minimum, SumCounter, type Accumulator } from "./accumulators.js";

/** An accumulator's local value on its way to the JobMaster, which merges without user code. Structured-clone friendly. */
export interface AccumulatorValue {
  /** `custom`: an accumulator class of the user's. */
  readonly kind: "sum" | "minimum" | "maximum" | "average" | "histogram" | "list" | "custom";
  readonly value: unknown;
}

const factories: Readonly<Record<Exclude<AccumulatorValue["kind"], "custom">, () => Accumulator<any, any>>> = {
  sum: () => new SumCounter(), minimum: () => new Minimum(), maximum: () => new Maximum(), average: () => new Average(), histogram: () => new CountHistogram(),
  list: () => new ListAccumulator(),
};

/** The wire form of an accumulator as it stands. */
export function accumulatorValue(accumulator: Accumulator<any, any>): AccumulatorValue {
  const kind =
    accumulator instanceof SumCounter ? "sum" : accumulator instanceof Minimum ? "minimum" : accumulator instanceof Maximum ? "maximum"
    : accumulator instanceof Average ? "average" : accumulator instanceof CountHistogram ? "histogram" : accumulator instanceof ListAccumulator ? "list" : "custom";
  return { kind, value: accumulator.localValue };
}

/**
 * Merges the values that the subtasks of a job hold under one name. Custom accumulators need their own code to merge, which the JobMaster does not
 * have: a single value is returned as it is, several as the list of local values.
 */
export function mergeAccumulatorValues(values: readonly AccumulatorValue[]): unknown {
  const first = values[0];
  if (first === undefined) return undefined;
  if (first.kind === "custom" || values.some((value) => value.kind !== first.kind)) return values.length === 1 ? first.value : values.map((value) => value.value);
  const merged = factories[first.kind]();
  for (const { value } of values) merged.merge(value);
  return merged.localValue;
}
