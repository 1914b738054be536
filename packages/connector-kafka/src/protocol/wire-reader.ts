/** Reads a response. Bytes it gives out are views of the response. @throws `RangeError` when the response is shorter than it says */
export class WireReader {
  readonly #buffer: Buffer;
  #position: number;

  constructor(buffer: Buffer, position: number = 0) {
    this.#buffer = buffer;
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  int8(): number {
    return this.#buffer.readInt8(this.#advance(1));
  }

  bool(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#advance(4));
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#advance(8));
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#buffer.readUInt8(this.#advance(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError("a length of more than five bytes");
  }

  string(): string {
    return this.#utf8(this.int16());
  }

  compactString(): string {
    return this.#utf8(this.unsignedVarint() - 1);
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? null : this.#utf8(length);
  }

  compactBytes(): Buffer | null {
    const length = this.unsignedVarint() - 1;
    if (length < 0) return null;
    const start = this.#advance(length);
    return this.#buffer.subarray(start, start + length);
  }

  array<T>(read: () => T): T[] {
    return this.#items(this.int32(), read);
  }

  /** `null` reads as empty. */
  compactArray<T>(read: () => T): T[] {
    return this.#items(this.unsignedVarint() - 1, read);
  }

  skip(size: number): this {
    this.#advance(size);
    return this;
  }

  /** Tagged fields only add to what a version says: all of them are skipped. */
  tags(): this {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint();
      this.skip(this.unsignedVarint());
    }
    return this;
  }

  #items<T>(count: number, read: () => T): T[] {
    if (count > this.#buffer.length) throw new RangeError(`an array of ${count} items in ${this.#buffer.length} bytes`);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  #utf8(length: number): string {
    const start = this.#advance(Math.max(0, length));
    return this.#buffer.toString("utf8", start, this.#position);
  }

  #advance(size: number): number {
    const start = this.#position;
    if (start + size > this.#buffer.length) throw new RangeError(`a response of ${this.#buffer.length} bytes ends too early`);
    this.#position = start + size;
    return start;
  }
}
