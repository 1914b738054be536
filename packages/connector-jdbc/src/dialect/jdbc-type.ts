/** What a column holds, whatever its database calls it. */
export type JdbcKind =
  | "integer" | "float" | "decimal" | "boolean" | "string" | "bytes" | "date" | "time" | "timestamp" | "timestamptz" | "interval" | "json" | "uuid" | "bit" | "set" | "array"
  /** Anything else that has an exact text: ranges, addresses, composites. */
  | "other";

/** A column's type as its database declares it. */
export interface JdbcType {
  readonly kind: JdbcKind;
  /** The database's own name, without length or precision: `int8`, `varchar`, `datetime`. */
  readonly name: string;
  /** Of integers and floats. */
  readonly bits?: number;
  readonly unsigned?: boolean;
  /** Of decimals, where they are declared: digits after the point. */
  readonly scale?: number;
  /** Of times and time stamps: digits of the fraction of a second. */
  readonly fractionDigits?: number;
  /** Of arrays. */
  readonly element?: JdbcType;
  /** Whether values are equal only when their texts are; by its kind where it is left out. */
  readonly equalsByText?: boolean;
}

const EQUAL_BY_TEXT: ReadonlySet<JdbcKind> = new Set(["integer", "uuid", "bytes", "boolean", "bit"]);

/** Whether the database takes two values of a type for equal only when their texts are: so not `1.0` and `1.00`, nor names whose case does not count. */
export function equalsByText(type: JdbcType): boolean {
  return type.equalsByText ?? EQUAL_BY_TEXT.has(type.kind);
}

export interface JdbcColumn {
  readonly name: string;
  readonly type: JdbcType;
  /** False when it is known to hold no NULL. */
  readonly isNullable: boolean;
}

/** A value as a dialect reads it: exact text for everything but bytes, and numbers where the database sends them as such. */
export type JdbcRawValue = string | number | Uint8Array | null;
export type JdbcRawRow = readonly JdbcRawValue[];
/** A value on its way into a statement: the exact text that the database reads as its column's type, bytes, or NULL. */
export type JdbcParameter = string | Uint8Array | null;
