import type { ByteReader } from "./byte-reader.js";

const SLOTS = 1024;
const LONGEST_NAME = 32;
const names: string[] = Array.from({ length: SLOTS }, () => "");

/**
 * Reads a string that is probably a field name seen before.
 *
 * Field names recur with every object, and making and interning the string each time would cost more than the field's value.
 */
export function readFieldName(reader: ByteReader): string {
  const start = reader.position;
  const head = reader.varuint();
  const length = head >>> 1;
  if (head % 2 !== 0 || head > LONGEST_NAME * 2) {
    reader.position = start;
    return reader.string();
  }
  reader.need(length);
  const { bytes, position } = reader;
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[position + i]!) | 0;
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const known = names[slot]!;
  if (known.length === length && isNamed(known, bytes, position)) {
    reader.position = position + length;
    return known;
  }
  // Only names of properties are interned strings, which make the fastest property keys.
  return (names[slot] = Object.keys({ [reader.latin1(length)]: 0 })[0]!);
}

function isNamed(name: string, bytes: Uint8Array, position: number): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) !== bytes[position + i]) return false;
  return true;
}
