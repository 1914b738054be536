import type { DecodedArray } from "hyparquet";
import type { ColumnTest, Comparison } from "./parquet-filter.js";
import { asItIs, asItIsOrNull } from "./value-reader.js";
import type { ValueReader } from "./value-reader.js";

/** A column of the records: where its values come from. */
export interface OutputColumn {
  readonly name: string;
  /** `undefined` when the file does not have it: all null. */
  readonly read: ValueReader | undefined;
}

/** What the code for rows is given besides the rows. */
export interface RowContext {
  /** Of the output columns, and of those that are tested, in their order; `undefined` where the file does not have one. */
  readonly columns: readonly (DecodedArray | undefined)[];
  readonly tested: readonly (DecodedArray | undefined)[];
  /** Makes the value of output column `column`. */
  readonly convert: (column: number, raw: unknown, row: number) => unknown;
  /** Whether test number `test` lets a row through. */
  readonly passes: (test: number, raw: unknown, row: number) => boolean;
  /** The right hand sides of all comparisons, in their order. */
  readonly bounds: readonly unknown[];
}

/** Appends the records of the rows [from, to) that pass all tests; element 0 of the columns is row `first`. */
export type RowReader = (from: number, to: number, first: number, context: RowContext, records: unknown[]) => void;

export interface CompiledRows {
  readonly read: RowReader;
  readonly bounds: readonly unknown[];
}

/**
 * Code for rows of such columns: tests are comparisons in place, and a record is one literal, which V8 makes some times faster than field by field.
 *
 * Files with the same columns share one function: `cache` has them by their text.
 */
export function compileRows(columns: readonly OutputColumn[], tests: readonly ColumnTest[], readers: ReadonlyMap<string, ValueReader>, cache: Map<string, RowReader>): CompiledRows {
  const bounds: unknown[] = [];
  const head: string[] = [];
  const conditions = tests.map(({ column, comparisons, comparesRaw }, i) => {
    head.push(`const t${i} = context.tested[${i}];`);
    const reader = readers.get(column);
    if (comparisons === undefined || reader === undefined || !(comparesRaw || isDirect(reader))) return `if (!passes(${i}, t${i} === undefined ? undefined : t${i}[at], row)) continue;`;
    return `const x${i} = t${i}[at]; if (x${i} === null || x${i} === undefined || ${comparisons.map((one) => `!(${comparison(one, `x${i}`)})`).join(" || ")}) continue;`;
  });
  const fields = columns.map(({ name, read }, i) => {
    // A computed key, so that a column called "__proto__" is a field like any other.
    const key = name === "__proto__" ? `["__proto__"]` : JSON.stringify(name);
    if (read === undefined) return `${key}: null`;
    head.push(`const c${i} = context.columns[${i}];`);
    return `${key}: ${read === asItIs ? `c${i}[at]` : read === asItIsOrNull ? `c${i}[at] ?? null` : `convert(${i}, c${i}[at], row)`}`;
  });
  const source = `return function rows(from, to, first, context, records) {
    const { convert, passes, bounds } = context;
    ${head.join("\n")}
    ${bounds.map((_, i) => `const k${i} = bounds[${i}];`).join("\n")}
    for (let row = from; row < to; row++) {
      const at = row - first;
      ${conditions.join("\n")}
      records.push({ ${fields.join(", ")} });
    }
  };`;
  let read = cache.get(source);
  if (read === undefined) cache.set(source, (read = new Function(source)() as RowReader));
  return { read, bounds };

  function comparison({ operator, value }: Comparison, variable: string): string {
    return `${variable} ${operator} k${bounds.push(value) - 1}`;
  }
}

function isDirect(read: ValueReader): boolean {
  return read === asItIs || read === asItIsOrNull;
}
