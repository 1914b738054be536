/**
 * The type of a column that is one value; with `?` behind it, it may be `null`.
 *
 * `int64`, `uint64` are `bigint` (`int64-number` is the same in the file, and a `number` that must not be beyond ±(2^53 − 1)); `decimal(p,s)` exact text;
 * `date` `"yyyy-MM-dd"`; `timestamp-millis`, `time-millis`, `time-micros`, `time-nanos` a `number`, `timestamp-micros` and `timestamp-nanos` a `bigint`, all
 * since the epoch or midnight; `uuid` text; `bytes` and `fixed(n)` `Uint8Array`; `interval` (only read) `{ months, days, millis }`.
 */
export type ParquetScalar = keyof Scalars | `decimal(${number},${number})` | `fixed(${number})`;

/** What a column holds. */
export type ParquetColumn = ParquetScalar | `${ParquetScalar}?` | ParquetList | ParquetMap | ParquetStruct;

/** A list: `{ list: "string" }`. */
export interface ParquetList {
  readonly list: ParquetColumn;
  readonly nullable?: true;
}

/** A map: `{ map: ["string", "int64"] }`; with text as keys a plain object, else a `Map`. */
export interface ParquetMap {
  readonly map: readonly [ParquetScalar, ParquetColumn];
  readonly nullable?: true;
}

/** A group of fields: `{ struct: { x: "double", y: "double" } }`. */
export interface ParquetStruct {
  readonly struct: ParquetColumns;
  readonly nullable?: true;
}

/** The columns of a file, by name. */
export interface ParquetColumns {
  readonly [name: string]: ParquetColumn;
}

/** A value of type `interval`. */
export interface ParquetInterval {
  readonly months: number;
  readonly days: number;
  readonly millis: number;
}

interface Scalars {
  boolean: boolean;
  int32: number;
  uint32: number;
  int64: bigint;
  uint64: bigint;
  "int64-number": number;
  float: number;
  double: number;
  string: string;
  bytes: Uint8Array;
  uuid: string;
  date: string;
  "time-millis": number;
  "time-micros": number;
  "time-nanos": number;
  "timestamp-millis": number;
  "timestamp-micros": bigint;
  "timestamp-nanos": bigint;
  interval: ParquetInterval;
}

type Nullable<C, V> = C extends { readonly nullable: true } ? V | null : V;

/** The type of a single value's column, `?` left out; `never` for lists, maps and structs. */
export type ParquetScalarValue<C> = C extends `${infer B}?` ? BareValue<B> : BareValue<C>;
type BareValue<C> = C extends keyof Scalars ? Scalars[C] : C extends `decimal(${string})` ? string : C extends `fixed(${string})` ? Uint8Array : never;

/** The type of a column's values. */
export type ParquetValue<C> = C extends `${infer B}?` ? BareValue<B> | null
  : C extends string ? BareValue<C>
  : C extends { readonly list: infer E } ? Nullable<C, ParquetValue<E>[]>
  : C extends { readonly map: readonly [infer K, infer V] } ? Nullable<C, K extends "string" | "uuid" | "date" ? Record<string, ParquetValue<V>> : Map<BareValue<K>, ParquetValue<V>>>
  : C extends { readonly struct: infer F extends ParquetColumns } ? Nullable<C, ParquetRecord<F>>
  : never;

/** The record type that belongs to columns. */
export type ParquetRecord<C extends ParquetColumns> = { -readonly [K in keyof C]: ParquetValue<C[K]> };
