const SMALLEST = 1;
const LARGEST = 4096;
const TOO_LONG_MS = 1;
const SHORT_MS = 0.3;
const MOST_STEPS = 16;

/** How many records a task takes at a time, so that a chunk takes about half a millisecond to one. */
export class ChunkSize {
  records: number;
  private done: number;
  private steps: number;
  private startedMs: number;

  constructor() {
    this.records = 256;
    this.done = 0;
    this.steps = 0;
    this.startedMs = 0;
  }

  /** A series of steps begins. */
  start(nowMs: number): void {
    this.done = 0;
    this.steps = 0;
    this.startedMs = nowMs;
  }

  /**
   * A step took `records` records, perhaps none. Steps may be short, as between two watermarks, and looking at the clock costs more than one of them.
   * @returns whether it is time to look, and to call {@link finish}
   */
  step(records: number): boolean {
    this.done += records;
    return ++this.steps >= MOST_STEPS || this.done >= this.records;
  }

  /** The steps so far took until `nowMs`; the next begin. */
  finish(nowMs: number): void {
    if (this.done > 0) this.measured(this.done, nowMs - this.startedMs);
    this.start(nowMs);
  }

  /** What was processed has to wait for something: little at a time, so that a checkpoint need not wait long. */
  waits(): void {
    this.records = SMALLEST;
  }

  /** A chunk of `records` took `elapsedMs`. */
  measured(records: number, elapsedMs: number): void {
    if (elapsedMs > TOO_LONG_MS) this.records = Math.max(SMALLEST, Math.min(this.records, Math.ceil(records / 2)));
    else if (elapsedMs < SHORT_MS && records >= this.records) this.records = Math.min(LARGEST, this.records * 2);
  }
}
