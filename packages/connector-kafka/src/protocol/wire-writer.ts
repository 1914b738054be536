/** Builds a request: big-endian numbers, and from flexible versions on compact strings, bytes and arrays with unsigned varint lengths (KIP-482). */
export class WireWriter {
  #buffer: Buffer;
  #length: number = 0;

  constructor(capacity: number = 512) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far; valid until the next write. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  int8(value: number): this {
    this.#reserve(1);
    this.#length = this.#buffer.writeInt8(value, this.#length);
    return this;
  }

  bool(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int16(value: number): this {
    this.#reserve(2);
    this.#length = this.#buffer.writeInt16BE(value, this.#length);
    return this;
  }

  int32(value: number): this {
    this.#reserve(4);
    this.#length = this.#buffer.writeInt32BE(value, this.#length);
    return this;
  }

  int64(value: bigint): this {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigInt64BE(value, this.#length);
    return this;
  }

  unsignedVarint(value: number): this {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
    return this;
  }

  /** With a two-byte length, as headers before flexible versions have it. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    return this.int16(Buffer.byteLength(value)).#utf8(value);
  }

  compactString(value: string | null): this {
    if (value === null) return this.unsignedVarint(0);
    return this.unsignedVarint(Buffer.byteLength(value) + 1).#utf8(value);
  }

  compactBytes(value: Uint8Array | null): this {
    if (value === null) return this.unsignedVarint(0);
    return this.unsignedVarint(value.length + 1).raw(value);
  }

  compactArray<T>(values: readonly T[] | null, write: (value: T) => void): this {
    if (values === null) return this.unsignedVarint(0);
    this.unsignedVarint(values.length + 1);
    for (const value of values) write(value);
    return this;
  }

  /** No tagged fields. */
  tags(): this {
    return this.unsignedVarint(0);
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  #utf8(value: string): this {
    const size = Buffer.byteLength(value);
    this.#reserve(size);
    this.#length += this.#buffer.write(value, this.#length, size, "utf8");
    return this;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + size));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
