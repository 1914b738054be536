import type {
  Boundedness, Clock, InputStatus, ReaderOutput, Source, SourceReader, SourceReaderContext, SourceSplit, SplitEnumerator, SplitEnumeratorContext,
} from "millrace";
import { eventAt, type Event, type SourceSpec } from "./job-spec.js";
import type { Probe } from "./probe.js";

interface Split extends SourceSplit {
  readonly index: number;
  readonly position: number;
}

interface EnumeratorState {
  readonly found: number;
  readonly unassigned: readonly Split[];
}

/** A bounded source whose splits are known at the start, or found and asked for one by one. */
export class SplitSource implements Source<Event, Split, EnumeratorState> {
  readonly boundedness: Boundedness = "bounded";
  readonly spec: SourceSpec;
  readonly #probe: Probe;

  constructor(spec: SourceSpec, probe: Probe) {
    this.spec = spec;
    this.#probe = probe;
  }

  createEnumerator(context: SplitEnumeratorContext<Split>, restored: EnumeratorState | undefined): SplitEnumerator<Split, EnumeratorState> {
    return this.spec.lazy ? new LazyEnumerator(this.spec, context, restored) : new EagerEnumerator(this.spec, context, restored);
  }

  createReader(context: SourceReaderContext): SourceReader<Event, Split> {
    return new Reader(this.spec, context, this.#probe);
  }
}

function splitAt({ name }: SourceSpec, index: number): Split {
  return { splitId: `${name}-${index}`, index, position: 0 };
}

/** Every reader gets its share when it comes, and nothing after that. */
class EagerEnumerator implements SplitEnumerator<Split, EnumeratorState> {
  readonly #context: SplitEnumeratorContext<Split>;
  #unassigned: Split[];

  constructor(spec: SourceSpec, context: SplitEnumeratorContext<Split>, restored: EnumeratorState | undefined) {
    this.#context = context;
    this.#unassigned = [...(restored?.unassigned ?? Array.from({ length: spec.splits }, (_, index) => splitAt(spec, index)))];
  }

  start(): void {}
  addReader(subtask: number): void {
    const mine = this.#unassigned.filter(({ index }) => index % this.#context.parallelism === subtask);
    this.#unassigned = this.#unassigned.filter((split) => !mine.includes(split));
    for (const split of mine) this.#context.assignSplit(split, subtask);
    this.#context.signalNoMoreSplits(subtask);
  }
  addSplitsBack(splits: readonly Split[]): void {
    this.#unassigned.push(...splits);
  }
  snapshotState(): EnumeratorState {
    return { found: 0, unassigned: this.#unassigned };
  }
}

/** Finds a split from time to time, and hands them to whoever asks. */
class LazyEnumerator implements SplitEnumerator<Split, EnumeratorState> {
  readonly #spec: SourceSpec;
  readonly #context: SplitEnumeratorContext<Split>;
  readonly #unassigned: Split[];
  readonly #asking = new Set<number>();
  #found: number;

  constructor(spec: SourceSpec, context: SplitEnumeratorContext<Split>, restored: EnumeratorState | undefined) {
    this.#spec = spec;
    this.#context = context;
    this.#unassigned = [...(restored?.unassigned ?? [])];
    this.#found = restored?.found ?? 0;
  }

  start(): void {
    const found = (): Promise<undefined> => Promise.resolve(undefined);
    this.#context.callAsync(found, () => {
      if (this.#found < this.#spec.splits) this.#unassigned.push(splitAt(this.#spec, this.#found++));
      this.#serve();
    }, this.#spec.findMs);
  }
  addReader(): void {}
  handleSplitRequest(subtask: number): void {
    this.#asking.add(subtask);
    this.#serve();
  }
  addSplitsBack(splits: readonly Split[]): void {
    this.#unassigned.push(...splits);
  }
  /** What others do meanwhile belongs behind the checkpoint. */
  async snapshotState(checkpointId: number): Promise<EnumeratorState> {
    const state = { found: this.#found, unassigned: [...this.#unassigned] };
    const { snapshotMs } = this.#spec;
    if (snapshotMs > 0) await new Promise<void>((resolve) => void this.#context.clock.setTimer((checkpointId * 37 + this.#found * 11) % snapshotMs, resolve));
    return state;
  }

  #serve(): void {
    for (const subtask of this.#asking) {
      const split = this.#unassigned.shift();
      if (split === undefined && this.#found < this.#spec.splits) return;
      this.#asking.delete(subtask);
      if (split === undefined) this.#context.signalNoMoreSplits(subtask);
      else this.#context.assignSplit(split, subtask);
    }
  }
}

/** How often a reader that finds nothing looks again. */
const LOOK_AGAIN_MS = 20;

/** One record of every split it has each period. */
class Reader implements SourceReader<Event, Split> {
  readonly #spec: SourceSpec;
  readonly #context: SourceReaderContext;
  readonly #clock: Clock;
  readonly #probe: Probe;
  #splits: Split[] = [];
  #complete = false;
  #asked = false;
  #nextMs = 0;
  #wake: (() => void) | undefined;

  constructor(spec: SourceSpec, context: SourceReaderContext, probe: Probe) {
    this.#spec = spec;
    this.#context = context;
    this.#clock = context.clock;
    this.#probe = probe;
  }

  start(): void {
    if (this.#spec.lazy && this.#splits.length === 0) this.#ask();
  }

  pollNext(output: ReaderOutput<Event>): InputStatus {
    // Event time needs every split from the first record on.
    if (!this.#spec.lazy && !this.#complete) return "nothing-available";
    if (this.#splits.length === 0) {
      if (this.#complete) return "end-of-input";
      this.#ask();
      return "nothing-available";
    }
    if (this.#spec.ahead && this.#splits.length === 1 && !this.#complete) this.#ask();
    const now = this.#clock.monotonicMs();
    if (this.#probe.stalls(this.#spec.name, this.#context.subtaskIndex)) this.#nextMs = now + LOOK_AGAIN_MS;
    if (now < this.#nextMs) return "nothing-available";
    this.#nextMs = now + this.#spec.periodMs;
    const outputs = this.#splits.map(({ splitId }) => output.forSplit(splitId));
    this.#splits = this.#splits.flatMap((split, at) => {
      outputs[at]!.collect(eventAt(this.#spec, split.index, split.position));
      const left = split.position + 1 < this.#spec.recordsPerSplit;
      if (!left) output.releaseSplit(split.splitId);
      return left ? [{ ...split, position: split.position + 1 }] : [];
    });
    return "more-available";
  }

  available(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      const reads = this.#splits.length > 0 && (this.#spec.lazy || this.#complete);
      if (reads) this.#clock.setTimer(this.#nextMs - this.#clock.monotonicMs(), resolve);
      else if (this.#complete) resolve();
    });
  }

  addSplits(splits: readonly Split[]): void {
    this.#asked = false;
    this.#splits.push(...splits);
    this.#wake?.();
  }
  notifyNoMoreSplits(): void {
    this.#complete = true;
    this.#wake?.();
  }
  snapshotState(): readonly Split[] {
    return [...this.#splits];
  }
  close(): void {
    this.#wake?.();
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#context.sendSplitRequest();
  }
}
