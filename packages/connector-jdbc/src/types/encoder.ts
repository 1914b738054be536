import type { JdbcType } from "../dialect/jdbc-type.js";
import { exactJsonText } from "./exact-json.js";
import type { JdbcTypeSettings } from "./jdbc-type-options.js";
import { dateText, millisText, timestampText } from "./time-text.js";

/** The neutral text of a value that is not NULL (bytes stay bytes). Throws what says why the value does not fit. */
export type Encode = (value: unknown) => string | Uint8Array;

const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d+))?$/;
const DATE = /^\d{4,7}-\d\d-\d\d(?: BC)?$|^-?infinity$/;
const TIME = /^-?\d{1,3}:\d\d(?::\d\d(?:\.(\d+))?)?(?:Z|[+-]\d\d(?::?\d\d){0,2})?$/;
const TIMESTAMP = /^(\d{4,6}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.(\d+))?)?)(Z|[+-]\d\d(?::?\d\d){0,2})?)?( BC)?$|^-?infinity$/;
const DAY_MS = 86_400_000;

/**
 * Turns values into the text that the database reads as this type, exactly. What it would round, cut or reinterpret silently is refused here; what it refuses itself
 * (a range, a length, a member of an enum) is left to it.
 */
export function encoderOf(type: JdbcType, settings: JdbcTypeSettings): Encode {
  switch (type.kind) {
    case "integer":
    case "bit":
      return integerText;
    case "float":
      return floatText;
    case "decimal":
      return (value) => decimalText(value, type.scale);
    case "boolean":
      return booleanText;
    case "date":
      return dateOf;
    case "time":
      return (value) => timeText(value, type.fractionDigits);
    case "timestamp":
      return (value) => timestampOf(value, type.fractionDigits, "");
    case "timestamptz":
      return (value) => timestampOf(value, type.fractionDigits, "Z");
    case "json":
      return settings.json === "text" ? plainText : exactJsonText;
    case "bytes":
      return bytesOf;
    case "set":
      return setText;
    case "array":
      return arrayEncoder(encoderOf(type.element!, settings), type.element!);
    default:
      return plainText;
  }
}

function refused(value: unknown, wanted: string): Error {
  const kind = value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "an object") : typeof value;
  return new Error(`${kind === "object" || kind === "Object" ? "an object" : `a ${kind}`} is no ${wanted}`);
}

function integerText(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return String(value);
    if (!Number.isInteger(value)) throw new Error("it is no integer");
    return BigInt(value).toString();
  }
  if (typeof value === "string" && INTEGER.test(value)) return value;
  if (typeof value === "boolean") return value ? "1" : "0";
  throw refused(value, "integer");
}

function floatText(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "bigint") {
    if (BigInt(Number(value)) !== value) throw new Error("a double does not hold it");
    return String(value);
  }
  if (typeof value === "string" && (DECIMAL.test(value) || /^(?:NaN|-?Infinity)$/.test(value))) return value;
  throw refused(value, "number");
}

function decimalText(value: unknown, scale: number | undefined): string {
  const text = typeof value === "number" || typeof value === "bigint" ? String(value) : value;
  if (typeof text !== "string") throw refused(value, "decimal");
  const match = DECIMAL.exec(text);
  if (match === null) {
    if (/^(?:NaN|-?Infinity)$/.test(text)) return text;
    throw new Error("it is no decimal");
  }
  const fraction = (match[1] ?? match[2] ?? "").replace(/0+$/, "");
  if (scale !== undefined && Math.max(0, fraction.length - Number(match[3] ?? 0)) > scale && !/^[+-]?[0.]+(?:[eE].*)?$/.test(text)) throw new Error(`the column has ${scale} digits after the point`);
  return text;
}

function booleanText(value: unknown): string {
  if (typeof value === "boolean") return value ? "true" : "false";
  if (value === 1 || value === 0) return value === 1 ? "true" : "false";
  if (value === "true" || value === "false") return value;
  throw refused(value, "boolean");
}

function dateOf(value: unknown): string {
  if (value instanceof Date) {
    const ms = value.getTime();
    if (Number.isNaN(ms)) throw new Error("it is an invalid Date");
    if (ms % DAY_MS !== 0) throw new Error("it has a time of day (in UTC), and the column has none");
    const { date, bc } = dateText(ms / DAY_MS);
    return `${date}${bc}`;
  }
  if (typeof value === "string" && DATE.test(value)) return value;
  throw typeof value === "string" ? new Error("it is no date (YYYY-MM-DD)") : refused(value, "date");
}

function checkFraction(fraction: string | undefined, digits: number | undefined): void {
  const used = (fraction ?? "").replace(/0+$/, "").length;
  if (used > (digits ?? 6)) throw new Error(`the column has ${digits ?? 6} digits of the second`);
}

function timeText(value: unknown, digits: number | undefined): string {
  const match = typeof value === "string" ? TIME.exec(value) : null;
  if (match === null) throw typeof value === "string" ? new Error("it is no time (HH:MM:SS)") : refused(value, "time");
  checkFraction(match[1], digits);
  return value as string;
}

/** Numbers are epoch milliseconds, bigints epoch microseconds. */
function timestampOf(value: unknown, digits: number | undefined, zone: string): string {
  const ms = typeof value === "number" ? value : value instanceof Date ? value.getTime() : undefined;
  if (ms !== undefined && (digits === undefined || digits >= 3)) {
    const plain = millisText(ms);
    if (plain !== undefined) return plain + zone;
  }
  const text = typeof value === "string" ? value : pointInTime(value);
  const match = TIMESTAMP.exec(text);
  if (match === null) throw new Error("it is no time stamp (YYYY-MM-DDTHH:MM:SS)");
  const [, date, time = "00:00:00", fraction, offset, bc = ""] = match;
  if (date === undefined) return text;
  checkFraction(fraction, digits);
  if (zone === "" && offset !== undefined && offset !== "Z" && typeof value === "string") throw new Error("it has a time zone, and the column has none");
  return `${date} ${time}${zone === "" ? "" : (offset ?? "Z")}${bc}`;
}

function pointInTime(value: unknown): string {
  if (typeof value === "bigint") return timestampText(value);
  const ms = value instanceof Date ? value.getTime() : value;
  if (typeof ms !== "number") throw refused(value, "time stamp");
  if (!Number.isSafeInteger(ms)) throw new Error(value instanceof Date ? "it is an invalid Date" : "it is no integer number of milliseconds");
  return timestampText(BigInt(ms) * 1000n);
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw refused(value, "byte array");
}

function setText(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) throw refused(value, "array of the set's members");
  return value.map((member) => {
    if (typeof member !== "string" || member.includes(",")) throw new Error("a member of a set is a text without comma");
    return member;
  }).join(",");
}

function plainText(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") throw refused(value, "text");
  if (/\p{Surrogate}/u.test(value)) throw new Error("it has half a surrogate pair, which is no text");
  return value;
}

function arrayEncoder(element: Encode, type: JdbcType): Encode {
  const literal = (value: unknown): string => {
    if (!Array.isArray(value)) throw refused(value, "array");
    return `{${value.map((member: unknown) => {
      if (member === null || member === undefined) return "NULL";
      if (Array.isArray(member) && type.kind !== "json") return literal(member);
      return quotedElement(element(member));
    }).join(",")}}`;
  };
  return literal;
}

/** An element of PostgreSQL's array literals. */
export function quotedElement(text: string | Uint8Array): string {
  const plain = typeof text === "string" ? text : `\\x${Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("hex")}`;
  return /["\\]/.test(plain) ? `"${plain.replace(/["\\]/g, "\\$&")}"` : `"${plain}"`;
}
