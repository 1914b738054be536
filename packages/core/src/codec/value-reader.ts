import { didYouMean } from "../errors/nearest.js";
import { MillraceError } from "../errors/millrace-error.js";
import type { ByteReader } from "./byte-reader.js";
import { corrupt } from "./codec-errors.js";
import { readFieldName } from "./field-names.js";
import { registeredTypeNamed, registeredTypeNames } from "./type-registry.js";
import {
  MAX_DEPTH, TAG_ARRAY, TAG_ARRAY_BUFFER, TAG_BIGINT64, TAG_BIGINT_NEGATIVE, TAG_BIGINT_POSITIVE, TAG_DATE, TAG_DOUBLE, TAG_FALSE,
  TAG_INT, TAG_INVALID_DATE, TAG_MAP, TAG_NAN, TAG_NULL, TAG_NULL_OBJECT, TAG_OBJECT, TAG_REGISTERED, TAG_SET, TAG_SHORT_STRING,
  TAG_SMALL_INT, TAG_SPARSE_ARRAY, TAG_STRING, TAG_TRUE, TAG_TYPED_ARRAY, TAG_UNDEFINED, TYPED_ARRAYS,
} from "./value-tags.js";

/**
 * Reads one value that {@link writeValue} wrote.
 *
 * Bytes that do not make sense are `CODEC_CORRUPT`; a class nobody registered here is `TYPE_NOT_REGISTERED`.
 */
export function readValue(reader: ByteReader): unknown {
  return read(reader, 0);
}

function read(r: ByteReader, depth: number): unknown {
  const tag = r.u8();
  if (tag >= TAG_SMALL_INT) return tag & 127;
  if (tag >= TAG_SHORT_STRING) return r.latin1(tag & 63);
  switch (tag) {
    case TAG_UNDEFINED: return undefined;
    case TAG_NULL: return null;
    case TAG_FALSE: return false;
    case TAG_TRUE: return true;
    case TAG_INT: return r.varint32();
    case TAG_DOUBLE: return r.f64();
    case TAG_NAN: return NaN;
    case TAG_STRING: return r.string();
    case TAG_BIGINT64: return r.i64();
    case TAG_BIGINT_POSITIVE: return readBigint(r);
    case TAG_BIGINT_NEGATIVE: return -readBigint(r);
    case TAG_DATE: return new Date(r.f64());
    case TAG_INVALID_DATE: return new Date(NaN);
    default: return readContainer(r, tag, depth + 1);
  }
}

function readContainer(r: ByteReader, tag: number, depth: number): unknown {
  if (depth > MAX_DEPTH) throw corrupt(`nested more than ${MAX_DEPTH} levels deep`, r.position);
  switch (tag) {
    case TAG_OBJECT: return readFields(r, {}, depth);
    case TAG_NULL_OBJECT: return readFields(r, Object.create(null) as Record<string, unknown>, depth);
    case TAG_ARRAY: return readArray(r, depth);
    case TAG_SPARSE_ARRAY: return readSparseArray(r, depth);
    case TAG_MAP: return readMap(r, depth);
    case TAG_SET: return readSet(r, depth);
    case TAG_ARRAY_BUFFER: return copyOf(r.raw(r.count(1)));
    case TAG_TYPED_ARRAY: return readTypedArray(r);
    case TAG_REGISTERED: return readRegistered(r, depth);
    default: throw corrupt(`unknown value tag ${tag}`, r.position - 1);
  }
}

function readFields(r: ByteReader, target: Record<string, unknown>, depth: number): unknown {
  const count = r.count(2);
  for (let i = 0; i < count; i++) {
    const key = readFieldName(r);
    const value = read(r, depth);
    // Assigning to __proto__ would change the prototype instead of making a field.
    if (key === "__proto__") Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
    else target[key] = value;
  }
  return target;
}

function readArray(r: ByteReader, depth: number): unknown[] {
  const count = r.count(1);
  const array: unknown[] = [];
  for (let i = 0; i < count; i++) array.push(read(r, depth));
  return array;
}

function readSparseArray(r: ByteReader, depth: number): unknown[] {
  const length = r.varuint();
  if (length > 0xffff_ffff) throw corrupt("an array length is out of range", r.position);
  const count = r.count(2);
  const array: unknown[] = [];
  let next = 0;
  for (let i = 0; i < count; i++) {
    const index = r.varuint();
    if (index < next || index >= length) throw corrupt("array indices are out of order", r.position);
    next = index + 1;
    array[index] = read(r, depth);
  }
  array.length = length;
  return array;
}

function readMap(r: ByteReader, depth: number): Map<unknown, unknown> {
  const count = r.count(2);
  const map = new Map<unknown, unknown>();
  for (let i = 0; i < count; i++) {
    const key = read(r, depth);
    map.set(key, read(r, depth));
  }
  return map;
}

function readSet(r: ByteReader, depth: number): Set<unknown> {
  const count = r.count(1);
  const set = new Set<unknown>();
  for (let i = 0; i < count; i++) set.add(read(r, depth));
  return set;
}

function readBigint(r: ByteReader): bigint {
  const bytes = r.raw(r.count(1));
  const digits: string[] = [];
  for (let i = bytes.length - 1; i >= 0; i--) digits.push(bytes[i]!.toString(16).padStart(2, "0"));
  return BigInt(`0x0${digits.join("")}`);
}

function readTypedArray(r: ByteReader): unknown {
  const kind = r.u8();
  const type = TYPED_ARRAYS[kind];
  const byteLength = r.count(1);
  if (type === undefined || byteLength % type.BYTES_PER_ELEMENT !== 0) throw corrupt("a typed array is malformed", r.position);
  return new type(copyOf(r.raw(byteLength)));
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  // Made from an array it is not zeroed first.
  return new Uint8Array(bytes).buffer;
}

function readRegistered(r: ByteReader, depth: number): unknown {
  const name = r.string();
  const registered = registeredTypeNamed(name);
  if (registered === undefined) {
    throw new MillraceError({
      code: "TYPE_NOT_REGISTERED",
      message: `the data holds a value of type "${name}", which is not registered here`,
      hint: [didYouMean(name, registeredTypeNames()), "call registerType at the top level of the job's module"].filter((s) => s !== "").join(" "),
    });
  }
  return registered.codec.decode(read(r, depth));
}
