import { WatermarkStrategy, type ReaderOutput, type Source, type SourceReader, type SourceReaderContext, type SourceSplit, type SplitEnumerator } from "@millrace/core";
import type { SourceSpec } from "@millrace/graph";

interface ListSplit extends SourceSplit {
  readonly splitId: string;
  readonly position: number;
}

export interface ListSourceOptions<T> {
  readonly splits: readonly (readonly T[])[];
  readonly timestampOf?: (value: T) => number;
  /** Records per poll, by a running number, so that batches differ. */
  readonly chunk?: (poll: number) => number;
  readonly perSplitOutputs?: boolean;
  readonly watermarks?: WatermarkStrategy<T>;
  /** Does not end by itself. */
  readonly unbounded?: boolean;
}

/** A replayable source of given lists, one split each. */
export function listSource<T>(options: ListSourceOptions<T>): SourceSpec {
  const source: Source<T, ListSplit, readonly ListSplit[]> = {
    boundedness: options.unbounded === true ? "continuous-unbounded" : "bounded",
    createEnumerator: (context, restored): SplitEnumerator<ListSplit, readonly ListSplit[]> => {
      const left: ListSplit[] = restored === undefined ? options.splits.map((_, i) => ({ splitId: String(i), position: 0 })) : [...restored];
      return {
        start: () => undefined,
        addReader: (subtask) => {
          for (const split of left.filter(({ splitId }) => Number(splitId) % context.parallelism === subtask)) {
            left.splice(left.indexOf(split), 1);
            context.assignSplit(split, subtask);
          }
          context.signalNoMoreSplits(subtask);
        },
        addSplitsBack: (splits) => void left.push(...splits),
        snapshotState: () => [...left],
      };
    },
    createReader: (context) => new ListReader(options, context),
  };
  return { type: "source", source: source as never, watermarks: options.watermarks ?? WatermarkStrategy.forMonotonousTimestamps<T>() };
}

class ListReader<T> implements SourceReader<T, ListSplit> {
  private splits: { splitId: string; position: number }[] = [];
  private noMore = false;
  private polls = 0;
  private readonly options: ListSourceOptions<T>;
  private wake: () => void = () => undefined;

  constructor(options: ListSourceOptions<T>, _context: SourceReaderContext) {
    this.options = options;
  }
  start(): void {}
  pollNext(output: ReaderOutput<T>): "more-available" | "nothing-available" | "end-of-input" {
    const { options } = this;
    let left = options.chunk?.(this.polls++) ?? 1000;
    while (left > 0 && !output.full) {
      const split = this.splits[0];
      if (split === undefined) return this.noMore && options.unbounded !== true ? "end-of-input" : "nothing-available";
      const values = options.splits[Number(split.splitId)]!;
      const out = options.perSplitOutputs === true ? output.forSplit(split.splitId) : output;
      if (split.position >= values.length) {
        if (options.perSplitOutputs === true) output.releaseSplit(split.splitId);
        this.splits.shift();
        continue;
      }
      const value = values[split.position++]!;
      out.collect(value, options.timestampOf?.(value));
      left--;
      // Takes turns between splits.
      if (left % 7 === 0) this.splits.push(this.splits.shift()!);
    }
    return "more-available";
  }
  available(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }
  addSplits(splits: readonly ListSplit[]): void {
    this.splits.push(...splits.map((split) => ({ ...split })));
    this.wake();
  }
  notifyNoMoreSplits(): void {
    this.noMore = true;
    this.wake();
  }
  snapshotState(): readonly ListSplit[] {
    return this.splits.map((split) => ({ ...split }));
  }
  close(): void {}
}
