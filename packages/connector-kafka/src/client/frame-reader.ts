/** Cuts a stream of bytes into frames with a four-byte length before each. A frame that comes whole in one piece is given out as a view of it. */
export class FrameReader {
  readonly #maxBytes: number;
  #head: Buffer = Buffer.alloc(0);
  #frame: Buffer | undefined;
  #filled: number = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws `RangeError` for a frame beyond the limit: the other side does not speak the protocol */
  push(chunk: Buffer, use: (frame: Buffer) => void): void {
    let rest = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    this.#head = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#frame === undefined) {
        if (rest.length < 4) {
          this.#head = rest;
          return;
        }
        const size = rest.readInt32BE(0);
        if (size < 4 || size > this.#maxBytes) throw new RangeError(`a frame of ${size} bytes`);
        if (rest.length >= 4 + size) {
          use(rest.subarray(4, 4 + size));
          rest = rest.subarray(4 + size);
          continue;
        }
        this.#frame = Buffer.allocUnsafeSlow(size);
        this.#filled = 0;
        rest = rest.subarray(4);
      }
      const taken = Math.min(rest.length, this.#frame.length - this.#filled);
      rest.copy(this.#frame, this.#filled, 0, taken);
      this.#filled += taken;
      rest = rest.subarray(taken);
      if (this.#filled < this.#frame.length) return;
      const frame = this.#frame;
      this.#frame = undefined;
      use(frame);
    }
  }
}
