/** An Avro schema as in the specification: JSON, as an object. */
export type AvroDefinition = string | AvroNode | readonly AvroDefinition[];

/** A schema that is an object: a record, enum, array, map, fixed, or a type with attributes such as `logicalType`. */
export interface AvroNode {
  readonly type: AvroDefinition;
  readonly name?: string;
  readonly namespace?: string;
  readonly aliases?: readonly string[];
  readonly doc?: string;
  readonly fields?: readonly AvroField[];
  readonly symbols?: readonly string[];
  readonly items?: AvroDefinition;
  readonly values?: AvroDefinition;
  readonly size?: number;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
  readonly default?: unknown;
  readonly [attribute: string]: unknown;
}

/** A field of a record. */
export interface AvroField {
  readonly name: string;
  readonly type: AvroDefinition;
  readonly default?: unknown;
  readonly aliases?: readonly string[];
  readonly doc?: string;
  readonly [attribute: string]: unknown;
}

interface Primitives {
  null: null;
  boolean: boolean;
  int: number;
  long: bigint;
  float: number;
  double: number;
  bytes: Uint8Array;
  string: string;
}
interface Logical {
  decimal: string;
  date: string;
  uuid: string;
  "time-millis": number;
  "time-micros": number;
  "timestamp-millis": number;
  "timestamp-micros": bigint;
  "timestamp-nanos": bigint;
  "local-timestamp-millis": number;
  "local-timestamp-micros": bigint;
  "local-timestamp-nanos": bigint;
  duration: AvroDuration;
}

/** A value of the logical type `duration`. */
export interface AvroDuration {
  readonly months: number;
  readonly days: number;
  readonly millis: number;
}

/**
 * The type of the values of a schema written as a literal, with the default {@link AvroTypeOptions}: `AvroValue<typeof schema>`.
 * References to named types are `any`; unions whose branches cannot be told apart by their values are not wrapped here.
 */
export type AvroValue<S> = S extends keyof Primitives ? Primitives[S]
  : S extends string ? any
  : S extends readonly (infer B)[] ? AvroValue<B>
  : S extends { readonly logicalType: infer L extends keyof Logical } ? Logical[L]
  : S extends { readonly type: "record"; readonly fields: infer F extends readonly AvroField[] } ? { -readonly [K in F[number] as K["name"]]: AvroValue<K["type"]> }
  : S extends { readonly type: "enum"; readonly symbols: infer E extends readonly string[] } ? E[number]
  : S extends { readonly type: "array"; readonly items: infer I } ? AvroValue<I>[]
  : S extends { readonly type: "map"; readonly values: infer V } ? Record<string, AvroValue<V>>
  : S extends { readonly type: "fixed" } ? Uint8Array
  : S extends { readonly type: infer T } ? AvroValue<T>
  : any;
