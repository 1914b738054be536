import { ByteWriter } from "./byte-writer.js";
import { registeredTypeOf } from "./type-registry.js";
import { explainUnencodable, isPlainTypedArray, UNENCODABLE } from "./unencodable.js";
import { objectKind } from "./value-kinds.js";
import {
  MAX_DEPTH, TAG_ARRAY, TAG_ARRAY_BUFFER, TAG_BIGINT64, TAG_BIGINT_NEGATIVE, TAG_BIGINT_POSITIVE, TAG_DATE, TAG_DOUBLE, TAG_FALSE,
  TAG_INT, TAG_INVALID_DATE, TAG_MAP, TAG_NAN, TAG_NULL, TAG_NULL_OBJECT, TAG_OBJECT, TAG_REGISTERED, TAG_SET, TAG_SHORT_STRING,
  TAG_SMALL_INT, TAG_SPARSE_ARRAY, TAG_STRING, TAG_TRUE, TAG_TYPED_ARRAY, TAG_UNDEFINED, typedArrayKind,
} from "./value-tags.js";

/**
 * Appends one value to `writer` in the value format (see {@link encodeValue}).
 *
 * What cannot be carried throws `RECORD_NOT_ENCODABLE` naming its place below `path`, and leaves the writer where it was.
 */
export function writeValue(writer: ByteWriter, value: unknown, path?: string): void {
  const start = writer.position;
  try {
    writeUnexplained(writer, value);
  } catch (error) {
    writer.position = start;
    throw error === UNENCODABLE ? explainUnencodable(value, path) : error;
  }
}

/** As {@link writeValue}, but throws {@link UNENCODABLE} and leaves what it wrote: for callers that explain and roll back themselves. */
export function writeUnexplained(writer: ByteWriter, value: unknown): void {
  write(writer, value, 0);
}

function write(w: ByteWriter, value: unknown, depth: number): void {
  switch (typeof value) {
    case "number":
      return writeNumber(w, value);
    case "string":
      return writeString(w, value);
    case "boolean":
      return w.u8(value ? TAG_TRUE : TAG_FALSE);
    case "undefined":
      return w.u8(TAG_UNDEFINED);
    case "bigint":
      return writeBigint(w, value);
    case "object":
      if (value === null) return w.u8(TAG_NULL);
      if (depth >= MAX_DEPTH) throw UNENCODABLE;
      return writeObject(w, value, depth + 1);
    default:
      throw UNENCODABLE;
  }
}

function writeNumber(w: ByteWriter, value: number): void {
  const int = value | 0;
  if (int === value && (int !== 0 || !Object.is(value, -0))) {
    if (int >= 0 && int < 128) return w.u8(TAG_SMALL_INT | int);
    w.u8(TAG_INT);
    return w.varint32(int);
  }
  // The bits of a NaN are not JavaScript's to see, but equal values must give equal bytes.
  if (value !== value) return w.u8(TAG_NAN);
  w.u8(TAG_DOUBLE);
  w.f64(value);
}

function writeString(w: ByteWriter, value: string): void {
  if (value.length < 64) {
    const start = w.position;
    w.u8(TAG_SHORT_STRING | value.length);
    if (w.latin1(value)) return;
    w.position = start;
  }
  w.u8(TAG_STRING);
  w.string(value);
}

function writeBigint(w: ByteWriter, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    w.u8(TAG_BIGINT64);
    return w.i64(value);
  }
  w.u8(value < 0n ? TAG_BIGINT_NEGATIVE : TAG_BIGINT_POSITIVE);
  const hex = (value < 0n ? -value : value).toString(16);
  const bytes = new Uint8Array(Math.ceil(hex.length / 2));
  for (let i = 0, end = hex.length; i < bytes.length; i++, end -= 2) bytes[i] = parseInt(hex.slice(Math.max(0, end - 2), end), 16);
  w.varuint(bytes.length);
  w.raw(bytes);
}

function writeObject(w: ByteWriter, value: object, depth: number): void {
  const prototype = Object.getPrototypeOf(value) as object | null;
  switch (objectKind(value, prototype)) {
    case "plain":
      return writeFields(w, TAG_OBJECT, value, depth);
    case "null-prototype":
      return writeFields(w, TAG_NULL_OBJECT, value, depth);
    case "array":
      return writeArray(w, value as unknown[], depth);
    case "other":
      return writeOther(w, value, prototype!, depth);
  }
}

function writeFields(w: ByteWriter, tag: number, value: object, depth: number): void {
  const keys = Object.keys(value);
  w.u8(tag);
  w.varuint(keys.length);
  for (const key of keys) {
    w.string(key);
    write(w, (value as Record<string, unknown>)[key], depth);
  }
}

function writeArray(w: ByteWriter, value: unknown[], depth: number): void {
  const start = w.position;
  w.u8(TAG_ARRAY);
  w.varuint(value.length);
  for (let i = 0; i < value.length; i++) {
    const element = value[i];
    if (element === undefined && !Object.hasOwn(value, i)) {
      w.position = start;
      return writeSparseArray(w, value, depth);
    }
    write(w, element, depth);
  }
}

function writeSparseArray(w: ByteWriter, value: unknown[], depth: number): void {
  const indices = Object.keys(value).map(Number).filter((i) => i >= 0 && i < value.length && Number.isInteger(i));
  w.u8(TAG_SPARSE_ARRAY);
  w.varuint(value.length);
  w.varuint(indices.length);
  for (const i of indices) {
    w.varuint(i);
    write(w, value[i], depth);
  }
}

function writeOther(w: ByteWriter, value: object, prototype: object, depth: number): void {
  if (prototype === Date.prototype) return writeDate(w, value as Date);
  if (prototype === Map.prototype) {
    w.u8(TAG_MAP);
    w.varuint((value as Map<unknown, unknown>).size);
    for (const [key, element] of value as Map<unknown, unknown>) {
      write(w, key, depth);
      write(w, element, depth);
    }
    return;
  }
  if (prototype === Set.prototype) {
    w.u8(TAG_SET);
    w.varuint((value as Set<unknown>).size);
    for (const element of value as Set<unknown>) write(w, element, depth);
    return;
  }
  const registered = registeredTypeOf(prototype);
  if (registered !== undefined) {
    w.u8(TAG_REGISTERED);
    w.string(registered.name);
    return write(w, registered.codec.encode(value), depth);
  }
  writeBytes(w, value, prototype);
}

function writeDate(w: ByteWriter, value: Date): void {
  const timeMs = value.getTime();
  if (timeMs !== timeMs) return w.u8(TAG_INVALID_DATE);
  w.u8(TAG_DATE);
  w.f64(timeMs);
}

function writeBytes(w: ByteWriter, value: object, prototype: object): void {
  if (prototype === ArrayBuffer.prototype) {
    const bytes = new Uint8Array(value as ArrayBuffer);
    w.u8(TAG_ARRAY_BUFFER);
    w.varuint(bytes.length);
    return w.raw(bytes);
  }
  if (!ArrayBuffer.isView(value) || !isPlainTypedArray(value)) throw UNENCODABLE;
  w.u8(TAG_TYPED_ARRAY);
  w.u8(typedArrayKind(value));
  w.varuint(value.byteLength);
  w.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}
