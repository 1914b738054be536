import { MillraceError } from "@millrace/core";
import type { JdbcColumn, JdbcKind, JdbcParameter, JdbcType } from "@millrace/connector-jdbc";
import { escape } from "mysql2";

/** A name in backticks. */
export function quote(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A table with its database, each in backticks. A name with dots in it cannot be said. */
export function quoteTable(table: string): string {
  return table.split(".").map(quote).join(".");
}

const NUMERIC: ReadonlySet<JdbcKind> = new Set(["integer", "decimal", "float", "bit"]);
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A value of a column as a literal. Sessions of this connector never have NO_BACKSLASH_ESCAPES. */
export function literalOf({ kind }: JdbcType, value: JdbcParameter): string {
  if (value === null) return "NULL";
  if (typeof value !== "string") return `X'${hexOf(value)}'`;
  return NUMERIC.has(kind) && NUMBER.test(value) ? value : escape(value);
}

/** A parameter of a user's query as a literal. */
export function userLiteral(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (value instanceof Date) return escape(value.toISOString().replace("T", " ").replace("Z", ""));
  if (value instanceof Uint8Array) return `X'${hexOf(value)}'`;
  return escape(typeof value === "object" ? JSON.stringify(value) : String(value as string));
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

/** The neutral text of a value as MySQL and MariaDB read it. Throws for what they have no form for. */
export function parameterOf({ type }: JdbcColumn, text: string | Uint8Array): JdbcParameter {
  if (typeof text !== "string") return text;
  switch (type.kind) {
    case "boolean":
      return text === "true" ? "1" : "0";
    case "float":
    case "decimal":
      if (/[a-df-z]/i.test(text)) throw new Error("the database has no such number");
      return text;
    case "date":
    case "time":
    case "timestamp":
    case "timestamptz":
      return timeOf(text);
    default:
      return text;
  }
}

/** Sessions are in UTC. */
function timeOf(text: string): string {
  if (/BC|infinity/.test(text)) throw new Error("the database has no such time");
  const plain = text.replace(/(?<=:.*)(?:Z|[+-]00(?::?00)?)$/, "");
  if (/:.*[+-]/.test(plain)) throw new Error("give it in UTC");
  return plain;
}

/**
 * Puts literals where the question marks are, those in quotes and comments left alone.
 * @throws `OPTION_INVALID` for another number of them
 */
export function withParameters(sql: string, parameters: readonly unknown[]): string {
  if (parameters.length === 0) return sql;
  let at = 0;
  const text = sql.replace(/'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`[^`]*`|\/\*[\s\S]*?\*\/|--\s[^\n]*|#[^\n]*|\?/g, (token) => {
    if (token !== "?") return token;
    return at < parameters.length ? userLiteral(parameters[at++]) : ((at++), token);
  });
  if (at !== parameters.length) {
    throw new MillraceError({ code: "OPTION_INVALID", message: `parameters: the query has ${at} placeholders, and there are ${parameters.length} parameters`, location: { option: "parameters" } });
  }
  return text;
}
