import { MillraceError, type InputStatus, type ReaderOutput, type Source, type SourceReader, type SourceReaderContext, type SourceSplit, type SplitEnumerator, type SplitEnumeratorContext } from "@millrace/core";
import { FixedSplitEnumerator, type UnassignedSplits } from "./fixed-split-enumerator.js";
import { SequentialReader, type SplitCursor } from "./split-reader.js";

/** The numbers from `next` to `last`, both inclusive. */
export interface NumberSplit extends SourceSplit {
  readonly next: number;
  readonly last: number;
}

const BATCH = 1024;

/** The integers from `from` to `to`, both inclusive, cut into one range per subtask. Flink: NumberSequenceSource. */
export class NumberSequenceSource implements Source<number, NumberSplit, UnassignedSplits<NumberSplit>> {
  readonly boundedness = "bounded";
  readonly description: string = "Sequence Source";
  readonly from: number;
  readonly to: number;

  /** @throws `SEQUENCE_INVALID` unless both are safe integers and from ≤ to */
  constructor(from: number, to: number) {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from > to) {
      throw new MillraceError({ code: "SEQUENCE_INVALID", message: `there is no sequence of integers from ${String(from)} to ${String(to)}`, hint: "give two integers up to 2^53 - 1, the smaller one first" });
    }
    this.from = from;
    this.to = to;
  }

  createEnumerator(context: SplitEnumeratorContext<NumberSplit>, restored: UnassignedSplits<NumberSplit> | undefined): SplitEnumerator<NumberSplit, UnassignedSplits<NumberSplit>> {
    return new FixedSplitEnumerator(context, restored?.splits ?? splitRange(this.from, this.to, context.parallelism));
  }
  createReader(context: SourceReaderContext): SourceReader<number, NumberSplit> {
    return new SequentialReader<number, NumberSplit>(context, (split) => new NumberCursor(split));
  }
}

/** Cuts a range into at most `parts` ranges whose sizes differ by one at most. */
export function splitRange(from: number, to: number, parts: number): NumberSplit[] {
  const splits: NumberSplit[] = [];
  let next = from;
  for (let part = 0; part < parts && next <= to; part++) {
    const size = Math.ceil((to - next + 1) / (parts - part));
    splits.push({ splitId: String(part), next, last: next + size - 1 });
    next += size;
  }
  return splits;
}

function itself(index: number): number {
  return index;
}

class NumberCursor implements SplitCursor<number, NumberSplit> {
  readonly #split: NumberSplit;
  #next: number;

  constructor(split: NumberSplit) {
    this.#split = split;
    this.#next = split.next;
  }
  poll(output: ReaderOutput<number>): InputStatus {
    const first = this.#next;
    const count = Math.min(BATCH, this.#split.last - first + 1);
    this.#next += count;
    output.collectGenerated(itself, first, count);
    return this.#next > this.#split.last ? "end-of-input" : "more-available";
  }
  available(): Promise<void> {
    return Promise.resolve();
  }
  snapshot(): NumberSplit {
    return { ...this.#split, next: this.#next };
  }
}
