import type { FileReader } from "@millrace/core";

const CHUNK_BYTES = 256 * 1024;
const READ_AHEAD_BYTES = 4 * CHUNK_BYTES;
/** Chunks that are kept to be filled again. */
const MOST_SPARE = READ_AHEAD_BYTES / CHUNK_BYTES;

/**
 * Reads ahead of its consumer: bytes arrive in the background up to a bound, and are taken without waiting.
 *
 * Fetching stops at `until` (it may overshoot by nothing), and goes on behind it only as far as {@link ByteStream.fetchMore} asks.
 */
export class ByteStream {
  /** Set when the file has ended: `available` bytes are the last ones. */
  ended: boolean = false;
  error: unknown = undefined;
  readonly #reader: FileReader;
  readonly #wake: () => void;
  #until: number;
  #fetchedTo: number;
  #chunks: Uint8Array[] = [];
  #bytes: number = 0;
  /**
   * Buffers of chunks are filled again and again: a chunk lives long enough to grow old, so fresh ones would pile up until the next collection of everything.
   */
  readonly #own: Set<ArrayBufferLike> = new Set();
  #spare: Uint8Array[] = [];
  #fetching: Promise<void> | undefined;
  #closed: boolean = false;

  /** `from` is the reader's offset, `wake` is called whenever something new is there. */
  constructor(reader: FileReader, from: number, until: number, wake: () => void) {
    this.#reader = reader;
    this.#fetchedTo = from;
    this.#until = until;
    this.#wake = wake;
    this.#fetch();
  }

  /** Bytes in memory. */
  get available(): number {
    return this.#bytes;
  }

  /** True when nothing more will be fetched unless somebody asks. */
  get done(): boolean {
    return this.ended || this.#fetchedTo >= this.#until;
  }

  /** The next `length` bytes, or as many as there are, in one piece. They stay until {@link consume}d; then others take their place. */
  peek(length: number): Uint8Array {
    const wanted = Math.min(length, this.#bytes);
    if (wanted === 0) return new Uint8Array(0);
    if (this.#chunks[0]!.length < wanted) this.#join(wanted);
    const first = this.#chunks[0]!;
    return first.length === wanted ? first : first.subarray(0, wanted);
  }

  consume(length: number): void {
    this.#bytes -= length;
    let rest = length;
    while (rest > 0) {
      const first = this.#chunks[0]!;
      if (first.length > rest) {
        this.#chunks[0] = first.subarray(rest);
        break;
      }
      rest -= first.length;
      this.#dropFirst();
    }
    this.#fetch();
  }

  #dropFirst(): void {
    const { buffer } = this.#chunks.shift()!;
    if (!this.#own.has(buffer)) return;
    if (this.#spare.length < MOST_SPARE) this.#spare.push(new Uint8Array(buffer));
    else this.#own.delete(buffer);
  }

  /** Makes at least `bytes` come to be available, also beyond the bounds; `wake` tells when. */
  fetchMore(bytes: number): void {
    this.#until = Math.max(this.#until, this.#fetchedTo - this.#bytes + bytes);
    this.#demand = bytes;
    this.#fetch();
  }
  #demand: number = 0;

  async close(): Promise<void> {
    this.#closed = true;
    await this.#fetching;
    await this.#reader.close();
  }

  #join(length: number): void {
    let total = 0;
    let count = 0;
    while (total < length) total += this.#chunks[count++]!.length;
    const joined = new Uint8Array(total);
    for (let at = 0; count > 0; count--) {
      const part = this.#chunks[0]!;
      joined.set(part, at);
      at += part.length;
      this.#dropFirst();
    }
    this.#chunks.unshift(joined);
  }

  #fetch(): void {
    if (this.#fetching === undefined && this.#wanted()) this.#fetching = this.#run();
  }

  #wanted(): boolean {
    return !this.#closed && this.error === undefined && !this.done && (this.#bytes <= READ_AHEAD_BYTES - CHUNK_BYTES || this.#bytes < this.#demand);
  }

  async #read(bytes: number): Promise<Uint8Array | undefined> {
    const into = this.#spare.pop() ?? new Uint8Array(CHUNK_BYTES);
    this.#own.add(into.buffer);
    const chunk = await this.#reader.read(bytes, into.length === bytes ? into : into.subarray(0, bytes));
    // Some readers have arrays of their own.
    if (chunk?.buffer !== into.buffer) this.#spare.push(into);
    return chunk;
  }

  async #run(): Promise<void> {
    try {
      while (this.#wanted()) {
        const chunk = await this.#read(Math.min(CHUNK_BYTES, this.#until - this.#fetchedTo));
        if (chunk === undefined) this.ended = true;
        else {
          this.#fetchedTo += chunk.length;
          this.#bytes += chunk.length;
          if (chunk.length > 0) this.#chunks.push(chunk);
        }
        this.#wake();
      }
    } catch (error) {
      this.error = error;
      this.#wake();
    } finally {
      this.#fetching = undefined;
    }
  }
}
