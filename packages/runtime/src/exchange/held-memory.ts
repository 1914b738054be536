/** How much of what blocking exchanges hold may stay in a slot's memory, shared by all its channels. */
export class HeldMemory {
  #freeBytes: number;

  constructor(limitBytes: number) {
    this.#freeBytes = limitBytes;
  }

  /** @returns false when there is no room: the buffer belongs on disk. */
  reserve(bytes: number): boolean {
    if (bytes > this.#freeBytes) return false;
    this.#freeBytes -= bytes;
    return true;
  }

  release(bytes: number): void {
    this.#freeBytes += bytes;
  }
}
