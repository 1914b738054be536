import type { InputStatus, ReaderOutput, Source, SourceReader, SourceReaderContext, SplitEnumerator, SplitEnumeratorContext } from "millrace";
import type { Stride } from "./strided-source.js";
import { StridedSource } from "./strided-source.js";

const BATCH = 1024;

/** As {@link StridedSource}, but record i is due at `startMs` + i / `rate`, by the wall clock, and that is its time. */
export class PacedSource<T> implements Source<T, Stride, readonly Stride[]> {
  readonly boundedness = "bounded";
  readonly description: string = "Paced generator";
  private readonly generate: (index: number, time: number) => T;
  private readonly count: number;
  private readonly rate: number;
  private readonly startMs: number;

  constructor(generate: (index: number, time: number) => T, count: number, rate: number, startMs: number) {
    this.generate = generate;
    this.count = count;
    this.rate = rate;
    this.startMs = startMs;
  }
  createEnumerator(context: SplitEnumeratorContext<Stride>, restored: readonly Stride[] | undefined): SplitEnumerator<Stride, readonly Stride[]> {
    return new StridedSource<T>((index) => this.generate(index, 0), () => 0, this.count).createEnumerator(context, restored);
  }
  createReader(_context: SourceReaderContext): SourceReader<T, Stride> {
    return new PacedReader<T>(this.generate, this.rate / 1000, this.startMs);
  }
}

class PacedReader<T> implements SourceReader<T, Stride> {
  private readonly generate: (index: number, time: number) => T;
  private readonly perMs: number;
  private readonly startMs: number;
  private splits: Stride[] = [];
  private next = 0;
  private complete = false;
  private wake: (() => void) | undefined;

  constructor(generate: (index: number, time: number) => T, perMs: number, startMs: number) {
    this.generate = generate;
    this.perMs = perMs;
    this.startMs = startMs;
  }
  start(): void {}
  pollNext(output: ReaderOutput<T>): InputStatus {
    const split = this.splits[0];
    if (split === undefined) return this.complete ? "end-of-input" : "nothing-available";
    if (this.next >= split.end) {
      this.splits.shift();
      this.next = this.splits[0]?.next ?? 0;
      return "more-available";
    }
    const dueIndex = Math.floor((this.nowMs() - this.startMs) * this.perMs);
    const last = Math.min(dueIndex, split.end - 1);
    const count = Math.min(BATCH, Math.floor((last - this.next) / split.stride) + 1);
    if (count <= 0) return "nothing-available";
    const values: T[] = new Array(count);
    const times = new Float64Array(count);
    for (let i = 0; i < count; i++, this.next += split.stride) {
      const time = Math.floor(this.startMs + this.next / this.perMs);
      values[i] = this.generate(this.next, time);
      times[i] = time;
    }
    output.collectBatch(values, times);
    return "more-available";
  }
  available(): Promise<void> {
    if (this.splits.length === 0 && !this.complete) return new Promise((resolve) => (this.wake = resolve));
    const waitMs = this.startMs + this.next / this.perMs - this.nowMs();
    // Node's timers wake up at the next whole millisecond.
    return new Promise((resolve) => setTimeout(resolve, Math.max(1, Math.floor(waitMs))));
  }
  addSplits(splits: readonly Stride[]): void {
    if (this.splits.length === 0 && splits.length > 0) this.next = splits[0]!.next;
    this.splits.push(...splits);
    this.wake?.();
  }
  notifyNoMoreSplits(): void {
    this.complete = true;
    this.wake?.();
  }
  snapshotState(): readonly Stride[] {
    return this.splits.map((split, position) => (position === 0 ? { ...split, next: this.next } : split));
  }
  close(): void {}

  private nowMs(): number {
    return performance.timeOrigin + performance.now();
  }
}
