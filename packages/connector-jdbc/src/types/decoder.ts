import { MillraceError } from "@millrace/core";
import type { JdbcColumn, JdbcRawRow, JdbcRawValue, JdbcType } from "../dialect/jdbc-type.js";
import { isExactNumber, parseExactJson } from "./exact-json.js";
import type { JdbcTypeSettings } from "./jdbc-type-options.js";
import { microsOf } from "./time-text.js";

/** A row: values by column name. */
export type JdbcRow = Record<string, unknown>;

type Decode = (raw: string | number | Uint8Array) => unknown;

/** Makes rows of what a dialect reads. @throws `JDBC_VALUE_UNREPRESENTABLE` naming column and value; `OPTION_INVALID` for two columns of one name */
export function rowDecoder(columns: readonly JdbcColumn[], settings: JdbcTypeSettings, what: string): (raw: JdbcRawRow) => JdbcRow {
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new MillraceError({ code: "JDBC_COLUMN_AMBIGUOUS", message: `${what}: two columns are called "${twice}"`, hint: "give them names with AS" });
  const decoders = columns.map(({ type }) => decoderOf(type, settings));
  return (raw) => {
    const row: JdbcRow = {};
    for (let i = 0; i < names.length; i++) {
      const value = raw[i]!;
      try {
        row[names[i]!] = value === null ? null : decoders[i]!(value);
      } catch (error) {
        throw unrepresentable(what, columns[i]!, value, error as Error);
      }
    }
    return row;
  };
}

function unrepresentable(what: string, { name, type }: JdbcColumn, value: JdbcRawValue, cause: Error): MillraceError {
  return new MillraceError({
    code: "JDBC_VALUE_UNREPRESENTABLE", message: `${what}: column "${name}" (${type.name}) holds ${shown(value)}: ${cause.message}`, cause,
    hint: "choose another form in types, leave the column out, or convert it in the query; a source can pass over such rows by onError",
  });
}

/** A value for a message: short, and never bytes as such. */
export function shown(value: unknown): string {
  const text = value instanceof Uint8Array ? `${value.length} bytes` : typeof value === "string" ? JSON.stringify(value) : typeof value === "object" && value !== null ? safeJson(value) : String(value);
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}

function safeJson(value: object): string {
  try {
    return JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? `${member}n` : member)) ?? "a value";
  } catch {
    return "a value";
  }
}

function decoderOf(type: JdbcType, settings: JdbcTypeSettings): Decode {
  switch (type.kind) {
    case "integer":
      return (type.bits ?? 64) <= 32 ? Number : int8Decoder(settings.int8);
    case "bit":
      return int8Decoder(settings.int8);
    case "float":
      return Number;
    case "decimal":
      return decimalDecoder(settings.decimal);
    case "boolean":
      return booleanOf;
    case "timestamp":
      return timestampDecoder(settings.timestamps, "");
    case "timestamptz":
      return timestampDecoder(settings.timestamps, "Z");
    case "json":
      return settings.json === "text" ? String : (raw) => parseExactJson(String(raw));
    case "bytes":
      return bytesOf;
    case "set":
      return (raw) => (raw === "" ? [] : String(raw).split(","));
    case "array":
      return arrayDecoder(decoderOf(type.element!, settings));
    default:
      return (raw) => {
        if (typeof raw === "object") throw new Error("it has no text");
        return String(raw);
      };
  }
}

function int8Decoder(form: "bigint" | "number" | "string"): Decode {
  if (form === "string") return String;
  if (form === "bigint") return (raw) => BigInt(raw as string | number);
  return (raw) => {
    const value = Number(raw);
    if (!Number.isSafeInteger(value)) throw new Error('it is beyond 2^53; use types: { int8: "bigint" }');
    return value;
  };
}

function decimalDecoder(form: JdbcTypeSettings["decimal"]): Decode {
  if (form === "string") return String;
  if (form !== "number") return (raw) => form(String(raw));
  return (raw) => {
    const text = String(raw);
    if (text === "NaN") return Number.NaN;
    if (!isExactNumber(text)) throw new Error('a double does not hold it; use types: { decimal: "string" }');
    return Number(text);
  };
}

function booleanOf(raw: string | number | Uint8Array): boolean {
  if (raw === "t" || raw === "true" || raw === 1 || raw === "1") return true;
  if (raw === "f" || raw === "false" || raw === 0 || raw === "0") return false;
  throw new Error("it is neither true nor false");
}

function timestampDecoder(form: JdbcTypeSettings["timestamps"], zone: string): Decode {
  if (form === "string") {
    return (raw) => {
      const text = String(raw);
      if (!/^\d/.test(text)) return text;
      return text.replace(" ", "T").replace(/(?:Z|[+]00(?::?00)?)?( BC)?$/, (_, bc: string | undefined) => `${zone}${bc ?? ""}`);
    };
  }
  if (form === "epochMicros") return (raw) => microsOf(String(raw));
  return (raw) => {
    const micros = microsOf(String(raw));
    if (micros % 1000n !== 0n) throw new Error('milliseconds do not hold it; use types: { timestamps: "epochMicros" } or "string"');
    const millis = Number(micros / 1000n);
    if (Math.abs(millis) > 8.64e15) throw new Error("it is beyond what Date holds");
    return form === "date" ? new Date(millis) : millis;
  };
}

function bytesOf(raw: string | number | Uint8Array): Uint8Array {
  if (raw instanceof Uint8Array) return Uint8Array.from(raw);
  const text = String(raw);
  if (!text.startsWith("\\x")) throw new Error("it is not in hexadecimal form");
  return Uint8Array.from(Buffer.from(text.slice(2), "hex"));
}

/** Reads `{1,NULL,"a,b",{…}}`. */
function arrayDecoder(element: Decode): Decode {
  return (raw) => {
    const text = String(raw);
    if (!text.startsWith("{")) throw new Error("its bounds do not begin with 1");
    let at = 0;
    const read = (): unknown[] => {
      const values: unknown[] = [];
      at++;
      while (text[at] !== "}") {
        if (text[at] === ",") at++;
        else if (text[at] === "{") values.push(read());
        else values.push(item());
      }
      at++;
      return values;
    };
    const item = (): unknown => {
      if (text[at] === '"') return element(quoted());
      let end = at;
      while (text[end] !== "," && text[end] !== "}") end++;
      const plain = text.slice(at, end);
      at = end;
      return plain === "NULL" ? null : element(plain);
    };
    const quoted = (): string => {
      let value = "";
      for (at++; text[at] !== '"'; at++) {
        if (text[at] === "\\") at++;
        value += text[at]!;
      }
      at++;
      return value;
    };
    return read();
  };
}
