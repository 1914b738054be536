import { utf8EncodeInto } from "./host-text.js";

const MAX_ASCII_LOOP = 64;

/**
 * A growable byte buffer with the primitive encodings of all codecs: little-endian numbers, LEB128 varints, exact strings.
 *
 * Not shared between threads. `bytes` may be replaced by any write, so do not keep it over one.
 */
export class ByteWriter {
  bytes: Uint8Array;
  /** Where the next byte goes; set it back to drop what was written after it. */
  position: number;
  private view: DataView;

  constructor(initialBytes: number = 256) {
    this.bytes = new Uint8Array(initialBytes);
    this.view = new DataView(this.bytes.buffer);
    this.position = 0;
  }

  /** Makes room for `extra` more bytes. */
  ensure(extra: number): void {
    if (this.position + extra > this.bytes.length) this.grow(extra);
  }

  private grow(extra: number): void {
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.position + extra));
    next.set(this.bytes.subarray(0, this.position));
    this.bytes = next;
    this.view = new DataView(next.buffer);
  }

  u8(value: number): void {
    this.ensure(1);
    this.bytes[this.position++] = value;
  }

  u16(value: number): void {
    this.ensure(2);
    this.view.setUint16(this.position, value, true);
    this.position += 2;
  }

  /** 32 bits, signed or unsigned. */
  i32(value: number): void {
    this.ensure(4);
    this.view.setInt32(this.position, value, true);
    this.position += 4;
  }

  f64(value: number): void {
    this.ensure(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  /** 64 bits, two's complement; `value` must fit. */
  i64(value: bigint): void {
    this.ensure(8);
    this.view.setBigInt64(this.position, value, true);
    this.position += 8;
  }

  /** An integer in [0, 2^53) as LEB128: one byte below 128, at most eight. */
  varuint(value: number): void {
    this.ensure(8);
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.bytes[this.position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.bytes[this.position++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  /** An int32, small magnitudes first (zigzag). */
  varint32(value: number): void {
    this.varuint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** Raw bytes, without a length. */
  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** A string of any UTF-16 units: a varint (length × 2, plus 1 when it needs two bytes per unit), then the units. */
  string(text: string): void {
    const length = text.length;
    this.ensure(8 + length * 3);
    const start = this.position;
    this.varuint(length * 2);
    if (!this.latin1(text)) {
      this.position = start;
      this.varuint(length * 2 + 1);
      this.utf16(text);
    }
  }

  /** Writes one byte per unit; returns false (and leaves the position alone) when a unit does not fit. */
  latin1(text: string): boolean {
    const length = text.length;
    this.ensure(length * 3);
    const { bytes, position } = this;
    if (length > MAX_ASCII_LOOP && utf8EncodeInto(text, bytes.subarray(position)).written === length) {
      this.position = position + length;
      return true;
    }
    let all = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      all |= unit;
      bytes[position + i] = unit;
    }
    if (all > 0xff) return false;
    this.position = position + length;
    return true;
  }

  /** Writes two bytes per unit. */
  utf16(text: string): void {
    const length = text.length;
    this.ensure(length * 2);
    const { bytes } = this;
    let at = this.position;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      bytes[at++] = unit;
      bytes[at++] = unit >> 8;
    }
    this.position = at;
  }

  /** A copy of what was written, in a buffer of exactly that size. */
  finish(): Uint8Array<ArrayBuffer> {
    const { bytes, position } = this;
    const copy = new Uint8Array(position);
    // For a few bytes a loop is faster than making a view to copy from.
    if (position > 128) copy.set(bytes.subarray(0, position));
    else for (let i = 0; i < position; i++) copy[i] = bytes[i]!;
    return copy;
  }

  /** A view of what was written, valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.position = 0;
  }
}
