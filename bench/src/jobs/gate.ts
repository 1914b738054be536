import type { InputStatus, ReaderOutput, Source, SourceReader, SourceReaderContext, SourceSplit } from "millrace";
import { startProfile } from "./profile.js";

/*
 * The measured pipeline waits, in every slot, for the prelude's pipelines of that slot. A slot has one copy of this module, so its variables are
 * what all its subtasks share.
 */
let unfinished = 0;
const waiting: (() => void)[] = [];

/** What is measured begins here. */
export interface Opening {
  readonly monotonicNs: bigint;
  readonly cpuMicros: number;
}
let opening: Opening | undefined;

export function expectPipelines(count: number): void {
  unfinished = count;
}
export function pipelineDone(): void {
  if (--unfinished > 0) return;
  for (const wake of waiting.splice(0)) wake();
}

/** When the first gated source of this slot began, and the whole process's CPU time then. */
export function firstOpening(): Opening | undefined {
  return opening;
}
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The source, silent until the prelude has ended in its slot. */
export function gated<T, S extends SourceSplit, E>(source: Source<T, S, E>): Source<T, S, E> {
  return {
    ...(source.splitCodec === undefined ? {} : { splitCodec: source.splitCodec }),
    ...(source.enumeratorCodec === undefined ? {} : { enumeratorCodec: source.enumeratorCodec }),
    boundedness: source.boundedness,
    description: source.description ?? "Source",
    createEnumerator: (context, restored) => source.createEnumerator(context, restored),
    createReader: (context: SourceReaderContext) => new GatedReader<T, S>(source.createReader(context)),
  };
}

class GatedReader<T, S extends SourceSplit> implements SourceReader<T, S> {
  private readonly reader: SourceReader<T, S>;
  private open = false;

  constructor(reader: SourceReader<T, S>) {
    this.reader = reader;
  }
  start(): void | Promise<void> {
    return this.reader.start();
  }
  pollNext(output: ReaderOutput<T>): InputStatus {
    if (!this.open) {
      if (unfinished > 0) return "nothing-available";
      this.open = true;
      if (opening === undefined) {
        startProfile();
        opening = { monotonicNs: process.hrtime.bigint(), cpuMicros: cpuMicros() };
      }
    }
    return this.reader.pollNext(output);
  }
  available(): Promise<void> {
    if (this.open) return this.reader.available();
    return unfinished > 0 ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve();
  }
  addSplits(splits: readonly S[]): void {
    this.reader.addSplits(splits);
  }
  notifyNoMoreSplits(): void {
    this.reader.notifyNoMoreSplits();
  }
  handleSourceEvent(event: unknown): void {
    this.reader.handleSourceEvent?.(event);
  }
  snapshotState(checkpointId: number): readonly S[] | Promise<readonly S[]> {
    return this.reader.snapshotState(checkpointId);
  }
  notifyCheckpointComplete(checkpointId: number): void | Promise<void> {
    return this.reader.notifyCheckpointComplete?.(checkpointId);
  }
  close(): void | Promise<void> {
    return this.reader.close();
  }
}
