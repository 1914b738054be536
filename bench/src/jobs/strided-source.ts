import type { InputStatus, ReaderOutput, Source, SourceReader, SourceReaderContext, SourceSplit, SplitEnumerator, SplitEnumeratorContext } from "millrace";

/** Indices `next`, `next + stride`, … below `end`. */
export interface Stride extends SourceSplit {
  readonly next: number;
  readonly stride: number;
  readonly end: number;
}

type Fill<T> = (values: T[], times: Float64Array, next: number, stride: number, count: number) => void;

const BATCH = 1024;
let fills = 0;

/**
 * Records 0 … `count` − 1 of a generator: subtask s of p makes s, s + p, s + 2p, …, so that event time advances alike in all of them.
 */
export class StridedSource<T> implements Source<T, Stride, readonly Stride[]> {
  readonly boundedness = "bounded";
  readonly description: string = "Strided generator";
  private readonly generate: (index: number) => T;
  private readonly timeOf: (record: T) => number;
  private readonly count: number;

  constructor(generate: (index: number) => T, timeOf: (record: T) => number, count: number) {
    this.generate = generate;
    this.timeOf = timeOf;
    this.count = count;
  }

  createEnumerator(context: SplitEnumeratorContext<Stride>, restored: readonly Stride[] | undefined): SplitEnumerator<Stride, readonly Stride[]> {
    const { parallelism } = context;
    const fresh = Array.from({ length: parallelism }, (_, next): Stride => ({ splitId: String(next), next, stride: parallelism, end: this.count }));
    return new StrideEnumerator(context, restored ?? fresh);
  }
  createReader(_context: SourceReaderContext): SourceReader<T, Stride> {
    // A text of its own for each source: V8 then sees one generator in the loop, whatever else runs in the same isolate.
    const make = new Function("generate", "timeOf", `return function fill${++fills}(values, times, next, stride, count) {
      for (let i = 0, index = next; i < count; i++, index += stride) {
        const record = generate(index);
        values[i] = record;
        times[i] = timeOf(record);
      }
    };`);
    return new StrideReader<T>(make(this.generate, this.timeOf) as Fill<T>);
  }
}

class StrideEnumerator implements SplitEnumerator<Stride, readonly Stride[]> {
  private readonly context: SplitEnumeratorContext<Stride>;
  private unassigned: readonly Stride[];

  constructor(context: SplitEnumeratorContext<Stride>, unassigned: readonly Stride[]) {
    this.context = context;
    this.unassigned = unassigned;
  }
  start(): void {}
  addReader(subtask: number): void {
    const own = this.unassigned.filter((split) => Number(split.splitId) % this.context.parallelism === subtask);
    this.unassigned = this.unassigned.filter((split) => !own.includes(split));
    for (const split of own) this.context.assignSplit(split, subtask);
    this.context.signalNoMoreSplits(subtask);
  }
  addSplitsBack(splits: readonly Stride[]): void {
    this.unassigned = [...this.unassigned, ...splits];
  }
  snapshotState(): readonly Stride[] {
    return this.unassigned;
  }
}

class StrideReader<T> implements SourceReader<T, Stride> {
  private readonly generateInto: Fill<T>;
  private splits: Stride[] = [];
  private next = 0;
  private complete = false;
  private wake: (() => void) | undefined;

  constructor(generateInto: Fill<T>) {
    this.generateInto = generateInto;
  }
  start(): void {}
  pollNext(output: ReaderOutput<T>): InputStatus {
    const split = this.splits[0];
    if (split === undefined) return this.complete ? "end-of-input" : "nothing-available";
    const count = Math.min(BATCH, Math.ceil((split.end - this.next) / split.stride));
    if (count <= 0) {
      this.splits.shift();
      this.next = this.splits[0]?.next ?? 0;
      return "more-available";
    }
    const values: T[] = new Array(count);
    const times = new Float64Array(count);
    this.generateInto(values, times, this.next, split.stride, count);
    this.next += count * split.stride;
    output.collectBatch(values, times);
    return "more-available";
  }
  available(): Promise<void> {
    if (this.splits.length > 0 || this.complete) return Promise.resolve();
    return new Promise((resolve) => (this.wake = resolve));
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
}
