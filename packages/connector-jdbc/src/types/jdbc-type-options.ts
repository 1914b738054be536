import { checkedOneOf, invalidOption } from "@millrace/core";
import type { JdbcColumn, JdbcKind } from "../dialect/jdbc-type.js";

/** What values become in TypeScript. Nothing is ever rounded or cut to fit: what does not fit is an error that names column and value. */
export interface JdbcTypeOptions {
  /** Integers of 64 bits. Default `"bigint"`; `"number"` fails beyond 2^53. */
  readonly int8?: "bigint" | "number" | "string";
  /** Default `"string"`, with all digits. `"number"` fails for what a double does not hold exactly as written; a function makes what you like of the text. */
  readonly decimal?: "string" | "number" | ((text: string) => unknown);
  /**
   * Time stamps. Default `"string"`: ISO 8601 with up to six digits of the second, with `Z` for those with a time zone. `"date"` and `"epochMillis"` fail for
   * microseconds and infinities, `"epochMicros"` is a `bigint`. Time stamps without a time zone count as UTC then.
   */
  readonly timestamps?: "string" | "date" | "epochMillis" | "epochMicros";
  /** Default `"parse"`: values, failing for numbers that a double does not hold. `"text"`: the JSON text as it is, both ways. */
  readonly json?: "parse" | "text";
  /** Kinds of columns that the database does not know or that are wanted otherwise: `{ payload: "json", active: "boolean" }`. */
  readonly kinds?: Readonly<Record<string, JdbcKind>>;
}

/** Those options with all defaults. */
export interface JdbcTypeSettings {
  readonly int8: "bigint" | "number" | "string";
  readonly decimal: "string" | "number" | ((text: string) => unknown);
  readonly timestamps: "string" | "date" | "epochMillis" | "epochMicros";
  readonly json: "parse" | "text";
  readonly kinds: Readonly<Record<string, JdbcKind>>;
}

/** @throws `OPTION_INVALID` */
export function typeSettings(options: JdbcTypeOptions = {}): JdbcTypeSettings {
  const { decimal = "string", kinds = {} } = options;
  if (typeof decimal !== "function") checkedOneOf("types.decimal", decimal, ["string", "number"]);
  for (const [column, kind] of Object.entries(kinds)) if (kind === "array") throw invalidOption(`types.kinds.${column}`, "a column cannot be made an array");
  return {
    int8: checkedOneOf("types.int8", options.int8 ?? "bigint", ["bigint", "number", "string"]), decimal, kinds,
    timestamps: checkedOneOf("types.timestamps", options.timestamps ?? "string", ["string", "date", "epochMillis", "epochMicros"]),
    json: checkedOneOf("types.json", options.json ?? "parse", ["parse", "text"]),
  };
}

/** The columns with the kinds that were asked for. */
export function withKinds(columns: readonly JdbcColumn[], { kinds }: JdbcTypeSettings): readonly JdbcColumn[] {
  return columns.map((column) => {
    const kind = Object.hasOwn(kinds, column.name) ? kinds[column.name]! : column.type.kind;
    return kind === column.type.kind ? column : { ...column, type: { ...column.type, kind } };
  });
}
