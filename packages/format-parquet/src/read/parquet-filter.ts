import { MillraceError, epochDayOf, nearest, unscaledDecimal } from "@millrace/core";
import type { ParquetQueryFilter } from "hyparquet";
import type { ParquetColumns, ParquetScalarValue } from "../schema/parquet-columns.js";
import type { LeafNode, ParquetNode } from "../schema/parquet-node.js";
import { unscaledOf } from "./value-reader.js";

/** What the value of a column must be; all that is given must hold. Nothing but `isNull: true` holds for `null`. */
export interface ColumnPredicate<V> {
  readonly eq?: V;
  readonly in?: readonly V[];
  readonly gt?: V;
  readonly gte?: V;
  readonly lt?: V;
  readonly lte?: V;
  readonly isNull?: boolean;
}

/** Rows to read: those for which all predicates hold. Columns that are lists, maps or structs cannot be asked for. */
export type ParquetFilter<T> = { readonly [K in keyof T]?: ColumnPredicate<NonNullable<T[K]>> };

/** The same for columns that are declared. */
export type ParquetColumnFilter<C extends ParquetColumns> = { readonly [K in keyof C]?: ColumnPredicate<ParquetScalarValue<C[K]>> };

/** A predicate of one column, ready for rows. */
export interface ColumnTest {
  readonly column: string;
  /** Whether the test wants the value as the library read it, rather than as it is in the record. */
  readonly comparesRaw: boolean;
  readonly test: (value: unknown) => boolean;
  /** The same as comparisons of the value with constants, all of which must hold, and none of which does for null; `undefined` where it is not as simple. */
  readonly comparisons: readonly Comparison[] | undefined;
}

/** `value` on the right hand side. */
export interface Comparison {
  readonly operator: "===" | ">" | ">=" | "<" | "<=";
  readonly value: unknown;
}

/** A filter for one file: what each row must pass, and what row groups and pages are left out by. */
export interface CompiledFilter {
  readonly tests: readonly ColumnTest[];
  readonly pruning: ParquetQueryFilter | undefined;
}

const OPERATORS = ["eq", "in", "gt", "gte", "lt", "lte", "isNull"] as const;
type Comparable = number | bigint | string | boolean;

/**
 * `wanted` are the columns as records have them, `file` as the file has them (a missing one is all null).
 * @throws `OPTION_INVALID` for columns and operators that are not there, or values that do not fit
 */
export function compileFilter(filter: Readonly<Record<string, ColumnPredicate<unknown> | undefined>>, wanted: ReadonlyMap<string, ParquetNode>, file: ReadonlyMap<string, ParquetNode>): CompiledFilter {
  const tests: ColumnTest[] = [];
  const pruning: ParquetQueryFilter[] = [];
  for (const [column, predicate] of Object.entries(filter)) {
    if (predicate === undefined) continue;
    const node = wanted.get(column);
    if (node?.kind !== "leaf") throw unknownColumn(column, wanted);
    for (const operator of Object.keys(predicate)) if (!(OPERATORS as readonly string[]).includes(operator)) throw invalid(column, `"${operator}" is none of ${OPERATORS.join(", ")}`);
    tests.push({ column, comparesRaw: RAW.has(node.type), test: testOf(column, node, predicate), comparisons: comparisonsOf(column, node, predicate) });
    const inFile = file.get(column);
    const range = inFile?.kind === "leaf" ? rangeOf(column, node, inFile, predicate) : undefined;
    if (range !== undefined) pruning.push({ [column]: range } as ParquetQueryFilter);
  }
  return { tests, pruning: pruning.length === 0 ? undefined : { $and: pruning } };
}

/** Text does not order them, or not every value can be a record's. */
const RAW: ReadonlySet<string> = new Set(["decimal", "date", "int64-number"]);

function testOf(column: string, node: LeafNode, predicate: ColumnPredicate<unknown>): ColumnTest["test"] {
  const key = keyOf(column, node);
  const bound = (value: unknown): Comparable | undefined => (value === undefined ? undefined : key(value));
  const [eq, gt, gte, lt, lte] = [predicate.eq, predicate.gt, predicate.gte, predicate.lt, predicate.lte].map(bound);
  const among = predicate.in === undefined ? undefined : new Set(predicate.in.map(key));
  const { isNull } = predicate;
  const isAsked = [eq, gt, gte, lt, lte, among].some((one) => one !== undefined);
  return (value) => {
    if (value === null || value === undefined) return isNull === true && !isAsked;
    if (isNull === true) return false;
    const found = (node.type === "decimal" || node.type === "int64-number" ? unscaledOf(value) : value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value) as Comparable;
    return !(
      (eq !== undefined && found !== eq) || (among !== undefined && !among.has(found)) || (gt !== undefined && !(found > gt)) || (gte !== undefined && !(found >= gte)) ||
      (lt !== undefined && !(found < lt)) || (lte !== undefined && !(found <= lte))
    );
  };
}

const COMPARISONS = { eq: "===", gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;
/** Values of these are not compared as they are. */
const CONVERTED: ReadonlySet<string> = new Set(["decimal", "int64-number", "bytes", "fixed"]);

function comparisonsOf(column: string, node: LeafNode, { isNull, in: among, ...bounds }: ColumnPredicate<unknown>): readonly Comparison[] | undefined {
  if (isNull === true || among !== undefined || CONVERTED.has(node.type)) return undefined;
  const key = keyOf(column, node);
  const entries = (Object.entries(bounds) as [keyof typeof COMPARISONS, unknown][]).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : entries.map(([name, value]) => ({ operator: COMPARISONS[name], value: key(value) }));
}

/** What values of the filter are compared as. */
function keyOf(column: string, node: LeafNode): (value: unknown) => Comparable {
  const check = (isRight: (value: unknown) => boolean, convert: (value: any) => Comparable = (value: Comparable) => value) => (value: unknown): Comparable => {
    if (!isRight(value)) throw invalid(column, `${typeof value === "bigint" ? `${value}n` : JSON.stringify(value)} is no ${node.type}`);
    return convert(value);
  };
  switch (node.type) {
    case "boolean": return check((value) => typeof value === "boolean");
    case "string": return check((value) => typeof value === "string");
    case "uuid": return check((value) => typeof value === "string", (value: string) => value.toLowerCase());
    case "date": return check((value) => epochDayOf(value) !== undefined, (value) => epochDayOf(value)!);
    case "decimal": return check((value) => typeof value === "string" || typeof value === "number" || typeof value === "bigint", (value: string) => unscaledDecimal(value, node.scale!, 1000));
    case "int64": case "uint64": case "int64-number": case "timestamp-micros": case "timestamp-nanos":
      return check((value) => typeof value === "bigint" || Number.isSafeInteger(value), (value: number) => BigInt(value));
    case "bytes": case "fixed": return check((value) => value instanceof Uint8Array, (value: Uint8Array) => Buffer.from(value).toString("latin1"));
    case "interval": throw invalid(column, "intervals cannot be compared");
    default: return check((value) => typeof value === "number");
  }
}

interface Range {
  readonly $gte?: Comparable;
  readonly $lte?: Comparable;
  readonly $in?: readonly Comparable[];
}

/** A range, in the values that the library makes of statistics, outside of which no row passes. It may be too wide, never too narrow. */
function rangeOf(column: string, wanted: LeafNode, file: LeafNode, predicate: ColumnPredicate<unknown>): Range | undefined {
  const key = keyOf(column, wanted);
  const convert = boundsOf(wanted, file);
  if (convert === undefined || predicate.isNull === true) return undefined;
  const low = [predicate.eq, predicate.gt, predicate.gte].filter((value) => value !== undefined).map((value) => convert(key(value))[0]);
  const high = [predicate.eq, predicate.lt, predicate.lte].filter((value) => value !== undefined).map((value) => convert(key(value))[1]);
  const among = predicate.in ?? (predicate.eq === undefined ? undefined : [predicate.eq]);
  const isExact = wanted.type === file.type && file.type !== "decimal";
  if (low.length === 0 && high.length === 0 && (among === undefined || !isExact)) return undefined;
  return {
    ...(low.length === 0 ? {} : { $gte: low.reduce((a, b) => (a > b ? a : b)) }),
    ...(high.length === 0 ? {} : { $lte: high.reduce((a, b) => (a < b ? a : b)) }),
    ...(among === undefined || among.length === 0 || !isExact ? {} : { $in: among.map(key) }),
  };
}

const NANOS: Readonly<Record<string, bigint>> = { "timestamp-millis": 1_000_000n, "timestamp-micros": 1000n, "timestamp-nanos": 1n };

/** The least and the greatest value of the file that may stand for a value of the record. */
function boundsOf(wanted: LeafNode, file: LeafNode): ((key: Comparable) => readonly [Comparable, Comparable]) | undefined {
  const [from, to] = [NANOS[wanted.type], NANOS[file.type]];
  if (from !== undefined && to !== undefined) {
    const form = (value: bigint): Comparable => (file.type === "timestamp-millis" ? Number(value) : value);
    return (key) => {
      const nanos = BigInt(key as number) * from;
      // Rounded outwards; one unit more does no harm.
      return [form(nanos / to - 1n), form((nanos + from) / to + 1n)];
    };
  }
  switch (file.type) {
    case "boolean": case "bytes": case "fixed": case "interval": return undefined;
    case "decimal": {
      const factor = 10 ** file.scale!;
      return (key) => {
        const value = Number(key as bigint) / factor;
        // Statistics of decimals come as rounded numbers.
        const slack = Math.abs(value) * 1e-12 + Number.MIN_VALUE;
        return [value - slack, value + slack];
      };
    }
    case "int64": case "uint64": return (key) => [BigInt(key as number), BigInt(key as number)];
    case "time-micros": case "time-nanos": return (key) => [Math.floor(key as number), Math.ceil(key as number)];
    default: return (key) => (typeof key === "bigint" ? [Number(key), Number(key)] : [key, key]);
  }
}

function unknownColumn(column: string, columns: ReadonlyMap<string, ParquetNode>): MillraceError {
  if (columns.has(column)) return invalid(column, "it is no column of single values");
  const similar = nearest(column, [...columns.keys()]);
  return invalid(column, "there is no such column", similar === undefined ? undefined : `did you mean "${similar}"?`);
}

function invalid(column: string, why: string, hint?: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message: `the filter of column "${column}" cannot be used: ${why}`, ...(hint === undefined ? {} : { hint }), location: { option: "filter" } });
}
