import { corrupt } from "./codec-errors.js";
import { stringFromUnits, utf8Decode } from "./host-text.js";

/**
 * Reads what {@link ByteWriter} wrote, never past `end`.
 *
 * Every length is checked against the bytes that remain before anything is allocated; what does not add up is `CODEC_CORRUPT`.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;
  private lazyView: DataView | undefined;

  constructor(bytes: Uint8Array, from: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.position = from;
    this.end = end;
    this.lazyView = undefined;
  }

  /** Made when it is first needed: most readers are short-lived and read bytes only. */
  private get view(): DataView {
    return (this.lazyView ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength));
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Throws unless `count` more bytes are there. */
  need(count: number): void {
    if (count > this.end - this.position) {
      throw corrupt(`${count} bytes expected, ${this.end - this.position} left`, this.position);
    }
  }

  u8(): number {
    this.need(1);
    return this.bytes[this.position++]!;
  }

  u16(): number {
    this.need(2);
    const value = this.view.getUint16(this.position, true);
    this.position += 2;
    return value;
  }

  i32(): number {
    this.need(4);
    const value = this.view.getInt32(this.position, true);
    this.position += 4;
    return value;
  }

  f64(): number {
    this.need(8);
    const value = this.view.getFloat64(this.position, true);
    this.position += 8;
    return value;
  }

  i64(): bigint {
    this.need(8);
    const value = this.view.getBigInt64(this.position, true);
    this.position += 8;
    return value;
  }

  varuint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw corrupt("a varint is too long", this.position);
  }

  varint32(): number {
    const value = this.varuint();
    if (value > 0xffff_ffff) throw corrupt("an int32 is out of range", this.position);
    return (value >>> 1) ^ -(value & 1);
  }

  /** A count of things that take at least `bytesEach` bytes each, checked against what is left. */
  count(bytesEach: number): number {
    const count = this.varuint();
    if (count * bytesEach > this.end - this.position) throw corrupt(`a count of ${count} does not fit what is left`, this.position);
    return count;
  }

  /** A view of the next `length` bytes (shares memory). */
  raw(length: number): Uint8Array {
    this.need(length);
    const from = this.position;
    this.position += length;
    return this.bytes.subarray(from, from + length);
  }

  string(): string {
    const head = this.varuint();
    const length = Math.floor(head / 2);
    return head % 2 === 0 ? this.latin1(length) : this.utf16(length);
  }

  /** `length` units of one byte each, as a flat or freshly joined string that shares nothing with the buffer. */
  latin1(length: number): string {
    this.need(length);
    const { bytes, position } = this;
    const end = position + length;
    this.position = end;
    if (length <= 32) return shortLatin1(bytes, position, end);
    let all = 0;
    for (let i = position; i < end; i++) all |= bytes[i]!;
    return all < 0x80 ? utf8Decode(bytes.subarray(position, end)) : stringFromUnits(bytes, position, end);
  }

  /** `length` units of two bytes each. */
  utf16(length: number): string {
    this.need(length * 2);
    const { bytes } = this;
    const units = new Uint16Array(length);
    let at = this.position;
    for (let i = 0; i < length; i++, at += 2) units[i] = bytes[at]! | (bytes[at + 1]! << 8);
    this.position = at;
    return stringFromUnits(units, 0, length);
  }
}

/** Eight characters a call: many times faster than one by one, and no array is made. */
function shortLatin1(b: Uint8Array, from: number, end: number): string {
  let text = "";
  let i = from;
  for (; i + 8 <= end; i += 8) {
    const part = String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!);
    text = text === "" ? part : text + part;
  }
  if (i + 4 <= end) {
    text += String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!);
    i += 4;
  }
  for (; i < end; i++) text += String.fromCharCode(b[i]!);
  return text;
}
