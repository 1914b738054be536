import { didYouMean, MillraceError, type TypeInformation } from "@millrace/core";

/** Names of the fields of `T` that hold numbers (or bigints). */
export type NumericField<T> = FieldOf<T, number | bigint>;
/** Names of the fields of `T` that have an order. */
export type ComparableField<T> = FieldOf<T, number | bigint | string | boolean | Date>;

type FieldOf<T, V> = 0 extends 1 & T
  ? string
  : T extends readonly unknown[]
    ? number
    : { [P in keyof T & string]: NonNullable<T[P]> extends V ? P : never }[keyof T & string];

/** What is known of the records of a stream at build time, to catch a wrong field name before anything runs. */
export interface RecordHint {
  readonly sample?: unknown;
  readonly type?: TypeInformation<unknown> | undefined;
}

/**
 * A function `(record) => record["field"]`. Generated, so that each field has a function text of its own: V8 shares type feedback between functions of
 * equal text, and the fingerprint sees which field it is.
 */
export function fieldSelector(field: string | number, hint: RecordHint = {}): (record: any) => any {
  checkField(field, hint);
  return new Function("record", `return record[${JSON.stringify(field)}];`) as (record: any) => any;
}

/** As {@link fieldSelector}, for several fields: the key is the array of their values. */
export function fieldsSelector(fields: readonly (string | number)[], hint: RecordHint = {}): (record: any) => any[] {
  for (const field of fields) checkField(field, hint);
  return new Function("record", `return [${fields.map((field) => `record[${JSON.stringify(field)}]`).join(", ")}];`) as (record: any) => any[];
}

/** @throws `FIELD_UNKNOWN` when the records' fields are known and `field` is none of them */
export function checkField(field: string | number, hint: RecordHint): void {
  const known = knownFields(hint);
  if (known === undefined || known.includes(String(field))) return;
  throw new MillraceError({
    code: "FIELD_UNKNOWN",
    message: `the records have no field "${field}"`,
    hint: didYouMean(String(field), known) || `they have ${known.map((name) => `"${name}"`).join(", ") || "no fields at all"}`,
  });
}

function knownFields(hint: RecordHint): readonly string[] | undefined {
  if (hint.type?.schema.kind === "object") return Object.keys(hint.type.schema.fields);
  const { sample } = hint;
  if (typeof sample !== "object" || sample === null) return undefined;
  // A field the first record lacks would be undefined there, which is as wrong as a misspelt one. Class instances may compute theirs.
  return Object.getPrototypeOf(sample) === Object.prototype ? Object.keys(sample) : undefined;
}
