import type { Random } from "./random.js";

/** A file's bytes, and how much of them a loss of power leaves. */
export class StoredFile {
  modifiedMs: number;
  /** The host whose loss of power takes what is not durable. */
  readonly host: string;
  /** Its name is in the directory for good. */
  named = false;
  #bytes = new Uint8Array(64);
  #length = 0;
  #durable = 0;

  constructor(host: string, modifiedMs: number) {
    this.host = host;
    this.modifiedMs = modifiedMs;
  }

  get length(): number {
    return this.#length;
  }

  /** A view; changes with the next append. */
  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.content);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  cut(length: number): void {
    this.#length = Math.min(this.#length, length);
    this.#durable = Math.min(this.#durable, length);
  }

  sync(): void {
    this.#durable = this.#length;
  }

  /** The power goes: what was not synced is gone, or a torn part of it stays. False when nothing is left of the file. */
  losePower(random: Random): boolean {
    if (!this.named && random.chance(0.5)) return false;
    const left = this.#durable + Math.floor(random.next() * (this.#length - this.#durable + 1));
    // The length may be written before the content is.
    if (random.chance(0.3)) this.#bytes.fill(0, this.#durable, left);
    this.#length = left;
    this.#durable = left;
    return true;
  }
}
