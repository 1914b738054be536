import type { FieldReduction } from "@millrace/graph";

const MAX_FIELDS = 64;
const MAX_TUPLE = 16;

/** Reduces one field of plain records of one shape, and makes such records by a literal: some ten times faster than the spread that it equals. */
export interface FieldReducer<T = any> {
  /** True for plain objects with exactly these fields in this order, and for arrays of this length without holes. All other methods need a record that fits. */
  fits(record: unknown): record is T;
  /** Whether all other fields are the key, a string: then {@link fromKey} equals {@link withField}, and the record itself need not be read. */
  isKeyOnly(record: T, key: unknown): boolean;
  read(record: any): unknown;
  withField(record: T, value: unknown): T;
  fromKey(key: unknown, value: unknown): T;
  /** The reduced field of both. */
  combine(a: any, b: any): any;
}

let generation = 0;

/**
 * A reducer for records like `sample`; `undefined` when it is neither a plain object nor a short array, lacks the field, or code cannot be generated here.
 *
 * Each has a text of its own, so that V8 gathers type feedback for it alone.
 */
export function fieldReducerFor(sample: unknown, { field, combine }: FieldReduction): FieldReducer | undefined {
  const shape = shapeOf(sample, field);
  if (shape === undefined) return undefined;
  const { fields, check } = shape;
  const others = fields.filter((name) => name !== shape.field);
  const literal = (other: (name: Name) => string, reduced: string): string => {
    const values = fields.map((name) => (name === shape.field ? reduced : other(name)));
    // Computed names: a plain __proto__ would set the prototype.
    return Array.isArray(sample) ? `[${values.join(", ")}]` : `{ ${values.map((value, i) => `[${JSON.stringify(fields[i])}]: ${value}`).join(", ")} }`;
  };
  const of = (name: Name): string => `r[${JSON.stringify(name)}]`;
  const text = `"use strict"; /* reducer ${generation++} */
const names = ${JSON.stringify(fields)};
return {
  fits: (r) => {
    if (typeof r !== "object" || r === null) return false;
    ${check}
  },
  isKeyOnly: (r, key) => ${["typeof key === \"string\"", ...others.map((name) => `${of(name)} === key`)].join(" && ")},
  read: (r) => ${of(shape.field)},
  withField: (r, value) => (${literal(of, "value")}),
  fromKey: (key, value) => (${literal(() => "key", "value")}),
  combine: (a, b) => ${combine === "sum" ? "a + b" : combine === "min" ? "b < a ? b : a" : "b > a ? b : a"},
};`;
  try {
    const reducer = (new Function(text) as () => FieldReducer)();
    return reducer.fits(sample) ? reducer : undefined;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

type Name = string | number;

interface Shape {
  readonly field: Name;
  readonly fields: readonly Name[];
  /** Statements that return whether `r`, an object, is of the shape. */
  readonly check: string;
}

function shapeOf(sample: unknown, field: Name): Shape | undefined {
  if (typeof sample !== "object" || sample === null) return undefined;
  if (Array.isArray(sample)) return typeof field === "number" && Object.hasOwn(sample, field) ? tuple(field, sample.length) : undefined;
  const names = Object.keys(sample);
  return names.includes(String(field)) && names.length <= MAX_FIELDS ? object(String(field), names) : undefined;
}

function tuple(field: number, length: number): Shape | undefined {
  if (length > MAX_TUPLE) return undefined;
  const fields = Array.from({ length }, (_, i) => i);
  const noHoles = fields.map((i) => `(r[${i}] !== undefined || Object.hasOwn(r, ${i}))`).join(" && ");
  return { field, fields, check: `return Array.isArray(r) && r.length === ${length} && Object.getPrototypeOf(r) === Array.prototype && ${noHoles};` };
}

function object(field: string, fields: readonly string[]): Shape {
  const check = `if (Object.getPrototypeOf(r) !== Object.prototype) return false;
    let at = 0;
    for (const name in r) if (name !== names[at++]) return false;
    return at === ${fields.length} && Object.getOwnPropertySymbols(r).length === 0;`;
  return { field, fields, check };
}
