const SMALLEST = 1;
const LARGEST = 4096;
const TOO_LONG_MS = 1;
const SHORT_MS = 0.3;

/** How many records a task takes at a time, so that a chunk takes about half a millisecond to one. */
export class ChunkSize {
  records: number;

  constructor() {
    this.records = 256;
  }

  /** A chunk of `records` took `elapsedMs`. */
  measured(records: number, elapsedMs: number): void {
    if (elapsedMs > TOO_LONG_MS) this.records = Math.max(SMALLEST, Math.min(this.records, Math.ceil(records / 2)));
    else if (elapsedMs < SHORT_MS && records >= this.records) this.records = Math.min(LARGEST, this.records * 2);
  }
}
