import type { AggregateFunction, ReduceFn } from "@millrace/core";

/** A field, by name or tuple index. */
export type FieldName = string | number;
type Selector = (record: any) => any;

/** The first record with the field replaced by the sum of both. */
export function sumOfField(field: FieldName): ReduceFn<any> {
  const at = access(field);
  return reducer(`return ${withField("a", field, `a${at} + b${at}`)};`);
}

/** The first record with the field replaced by the smaller (`<`) or larger (`>`) of both. */
export function extremeOfField(field: FieldName, order: "<" | ">"): ReduceFn<any> {
  const at = access(field);
  return reducer(`return b${at} ${order} a${at} ? ${withField("a", field, `b${at}`)} : a;`);
}

/** The record whose field is smaller or larger; of equal ones the first, or the last. */
export function extremeByField(field: FieldName, order: "<" | ">", first: boolean): ReduceFn<any> {
  const at = access(field);
  return reducer(`return b${at} ${order}${first ? "" : "="} a${at} ? b : a;`);
}

/** The record for which the selector gives the smaller or larger value; of equal ones the first, or the last. */
export function extremeBySelector(selector: Selector, order: "<" | ">", first: boolean): ReduceFn<any> {
  if (order === "<") return first ? (a, b) => (selector(b) < selector(a) ? b : a) : (a, b) => (selector(b) <= selector(a) ? b : a);
  return first ? (a, b) => (selector(b) > selector(a) ? b : a) : (a, b) => (selector(b) >= selector(a) ? b : a);
}

/** Sum, smallest or largest of what a selector gives, as an aggregation whose result is that number. */
export function aggregateOfSelector(selector: Selector, combine: ReduceFn<number>): AggregateFunction<any, number | undefined, number> {
  return {
    createAccumulator: () => undefined,
    add: (value, accumulator) => (accumulator === undefined ? selector(value) : combine(accumulator, selector(value))),
    getResult: (accumulator) => accumulator!,
    merge: (a, b) => (a === undefined ? b : b === undefined ? a : combine(a, b)),
  };
}

export const combineNumbers: Readonly<Record<"sum" | "min" | "max", ReduceFn<number>>> = {
  sum: (a, b) => a + b,
  min: (a, b) => (b < a ? b : a),
  max: (a, b) => (b > a ? b : a),
};

function access(field: FieldName): string {
  return `[${JSON.stringify(field)}]`;
}

function withField(record: string, field: FieldName, value: string): string {
  return typeof field === "number" ? `${record}.with(${field}, ${value})` : `{ ...${record}, ${access(field)}: ${value} }`;
}

/** Generated, so that each has a text of its own: see `fieldSelector`. */
function reducer(body: string): ReduceFn<any> {
  return new Function("a", "b", body) as ReduceFn<any>;
}
