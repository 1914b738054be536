import { MillraceError } from "../errors/millrace-error.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { corrupt } from "./codec-errors.js";
import { describeValue, objectKind } from "./value-kinds.js";

// First byte of an encoded key, and seed of its hash. Part of the stored format and of key groups: never change one, only add.
export const KEY_NULL = 1;
export const KEY_FALSE = 2;
export const KEY_TRUE = 3;
/** An integer in the int32 range, -0 included: four bytes. */
export const KEY_INT = 4;
/** Any other finite number: eight bytes. */
export const KEY_DOUBLE = 5;
/** All units ≤ 0xff: one byte each. */
export const KEY_LATIN1 = 6;
/** Two bytes a unit. */
export const KEY_UTF16 = 7;
/** Hexadecimal text, as Latin-1. */
export const KEY_BIGINT = 8;
export const KEY_DATE = 9;
/** A count, then each element: the length of its encoded key, and the key. */
export const KEY_ARRAY = 10;
/** A count, then name and value of each field, names in the order of their UTF-16 units. */
export const KEY_OBJECT = 11;

const MAX_KEY_DEPTH = 32;

/** `KEY_INVALID` for a key that cannot be one. */
function invalid(path: string, what: string, hint: string): MillraceError {
  return new MillraceError({ code: "KEY_INVALID", message: `a key must not be ${what}${path === "" ? "" : ` (at key${path})`}`, hint });
}

/**
 * Appends the canonical bytes of a key: equal keys give equal bytes, different keys different ones.
 *
 * Keys are strings, finite numbers (-0 is 0), `bigint`, booleans, `null`, valid `Date`s, and arrays and plain objects of those (the order
 * of an object's fields does not matter). 1, "1" and 1n are different keys. Anything else is `KEY_INVALID`; the writer then stays where it was.
 */
export function writeKey(writer: ByteWriter, key: unknown): void {
  const start = writer.position;
  try {
    write(writer, key, "", 0);
  } catch (error) {
    writer.position = start;
    throw error;
  }
}

function write(w: ByteWriter, key: unknown, path: string, depth: number): void {
  switch (typeof key) {
    case "string":
      return writeText(w, key);
    case "number":
      return writeNumber(w, key, path);
    case "boolean":
      return w.u8(key ? KEY_TRUE : KEY_FALSE);
    case "bigint":
      w.u8(KEY_BIGINT);
      w.latin1(key.toString(16));
      return;
    case "object":
      if (key === null) return w.u8(KEY_NULL);
      return writeStructure(w, key, path, depth + 1);
    case "undefined":
      throw invalid(path, "undefined", "return a value from the key selector for every record, e.g. with ?? \"none\"; null is allowed");
    default:
      throw invalid(path, describeValue(key), "return a string, a number, or an array or plain object of those from the key selector");
  }
}

function writeText(w: ByteWriter, key: string): void {
  const start = w.position;
  w.u8(KEY_LATIN1);
  if (w.latin1(key)) return;
  w.position = start;
  w.u8(KEY_UTF16);
  w.utf16(key);
}

function writeNumber(w: ByteWriter, key: number, path: string): void {
  const int = key | 0;
  if (int === key) {
    w.u8(KEY_INT);
    return w.i32(int);
  }
  checkFinite(key, path);
  w.u8(KEY_DOUBLE);
  w.f64(key);
}

/** Throws `KEY_INVALID` for NaN and the infinities. */
export function checkFinite(key: number, path: string = ""): void {
  if (key - key !== 0) throw invalid(path, String(key), "filter such records out, or map them to a number or string of your choice");
}

function writeStructure(w: ByteWriter, key: object, path: string, depth: number): void {
  if (depth > MAX_KEY_DEPTH) throw invalid("", `nested more than ${MAX_KEY_DEPTH} levels deep`, "a key should be small: use the fields that identify it");
  const prototype = Object.getPrototypeOf(key) as object | null;
  const kind = objectKind(key, prototype);
  if (kind === "array") return writeElements(w, key as unknown[], path, depth);
  if (kind !== "other") return writeFields(w, key as Record<string, unknown>, path, depth);
  if (prototype !== Date.prototype) {
    throw invalid(path, describeValue(key), "use the fields that identify it: a string, a number, or an array or plain object of those");
  }
  const timeMs = (key as Date).getTime();
  if (timeMs !== timeMs) throw invalid(path, "an invalid Date", "filter such records out, or use null for a missing date");
  w.u8(KEY_DATE);
  w.f64(timeMs);
}

/** Writes one key inside another, after its length. */
function writeNested(w: ByteWriter, key: unknown, path: string, depth: number): void {
  const start = w.position;
  w.i32(0);
  write(w, key, path, depth);
  const end = w.position;
  w.position = start;
  w.i32(end - start - 4);
  w.position = end;
}

function writeElements(w: ByteWriter, key: unknown[], path: string, depth: number): void {
  w.u8(KEY_ARRAY);
  w.i32(key.length);
  for (let i = 0; i < key.length; i++) writeNested(w, key[i], `${path}[${i}]`, depth);
}

function writeFields(w: ByteWriter, key: Record<string, unknown>, path: string, depth: number): void {
  const names = Object.keys(key).sort();
  w.u8(KEY_OBJECT);
  w.i32(names.length);
  for (const name of names) {
    writeNested(w, name, path, depth);
    writeNested(w, key[name], `${path}.${name}`, depth);
  }
}

/** The canonical bytes of a key; see {@link writeKey}. */
export function encodeKey(key: unknown): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64);
  writeKey(writer, key);
  return writer.finish();
}

/** The key that {@link encodeKey} encoded, normalised: 0 for -0, fields of objects sorted by name. Anything else is `CODEC_CORRUPT`. */
export function decodeKey(bytes: Uint8Array): unknown {
  return read(new ByteReader(bytes), 0);
}

function read(r: ByteReader, depth: number): unknown {
  const tag = r.u8();
  switch (tag) {
    case KEY_NULL: return whole(r, null);
    case KEY_FALSE: return whole(r, false);
    case KEY_TRUE: return whole(r, true);
    case KEY_INT: return whole(r, r.i32());
    case KEY_DOUBLE: return whole(r, r.f64());
    case KEY_DATE: return whole(r, new Date(r.f64()));
    case KEY_LATIN1: return r.latin1(r.remaining);
    case KEY_UTF16:
      if (r.remaining % 2 !== 0) throw corrupt("half a character", r.position);
      return r.utf16(r.remaining / 2);
    case KEY_BIGINT: return readBigint(r);
    case KEY_ARRAY: return readElements(r, depth + 1);
    case KEY_OBJECT: return readFields(r, depth + 1);
    default: throw corrupt(`unknown key tag ${tag}`, r.position - 1);
  }
}

function whole<T>(r: ByteReader, value: T): T {
  if (r.remaining !== 0) throw corrupt("bytes are left over in a key", r.position);
  return value;
}

function readBigint(r: ByteReader): bigint {
  const text = r.latin1(r.remaining);
  if (!/^-?[0-9a-f]+$/.test(text)) throw corrupt("a bigint key is malformed", r.position);
  return text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
}

function readNested(r: ByteReader, depth: number): unknown {
  const length = r.i32();
  if (length < 0) throw corrupt("a negative length", r.position);
  r.need(length);
  const inner = new ByteReader(r.bytes, r.position, r.position + length);
  r.position += length;
  return read(inner, depth);
}

function readCount(r: ByteReader, depth: number, bytesEach: number): number {
  const count = r.i32();
  if (depth > MAX_KEY_DEPTH || count < 0 || count * bytesEach > r.remaining) throw corrupt("a key is malformed", r.position);
  return count;
}

function readElements(r: ByteReader, depth: number): unknown[] {
  const count = readCount(r, depth, 5);
  const elements: unknown[] = [];
  for (let i = 0; i < count; i++) elements.push(readNested(r, depth));
  return whole(r, elements);
}

function readFields(r: ByteReader, depth: number): Record<string, unknown> {
  const count = readCount(r, depth, 10);
  const fields: [string, unknown][] = [];
  for (let i = 0; i < count; i++) {
    const name = readNested(r, depth);
    if (typeof name !== "string") throw corrupt("a field name is not a string", r.position);
    fields.push([name, readNested(r, depth)]);
  }
  // fromEntries defines fields, so that one named __proto__ stays a field.
  return whole(r, Object.fromEntries(fields));
}
