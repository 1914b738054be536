import { CHECKPOINTING_INTERVAL, MillraceError, RUNTIME_MODE, type CommitRequest, type CommittingSinkWriter, type Committer, type Sink, type SinkWriterContext, type StatefulSinkWriter, type Cancellable } from "@millrace/core";

/** Values on their way to the program, numbered per subtask so that a repeated commit is recognised. */
export interface CollectedChunk<T> {
  /** Number of the first value within its subtask; `undefined` without checkpointing, where nothing is recognised. */
  readonly firstIndex: number | undefined;
  readonly values: readonly T[];
}

/** The most values in one message, and the longest one waits for others. */
const CHUNK_SIZE = 1024;
const CHUNK_DELAY_MS = 10;

/**
 * Sends records back to the program that called `execute()`: behind `executeAndCollect` and `collectAsync`.
 *
 * `collectId` names the collector in `Pipeline.collectors`; each value given to `SinkWriterContext.collect` is a {@link CollectedChunk}.
 * With checkpointing a record is sent once the checkpoint that covers it is complete, and comes exactly once; otherwise at once, and again after a restart.
 */
export class CollectSink<T> implements Sink<T, CollectedChunk<T>, number> {
  readonly description: string = "Collect";
  readonly collectId: string;

  constructor(collectId: string) {
    this.collectId = collectId;
  }

  createWriter(context: SinkWriterContext): CollectWriter<T> {
    return new CollectWriter<T>(context, this.collectId, 0);
  }
  restoreWriter(context: SinkWriterContext, state: readonly number[]): CollectWriter<T> {
    return new CollectWriter<T>(context, this.collectId, state.length === 0 ? 0 : Math.max(...state));
  }
  createCommitter(context: SinkWriterContext): Committer<CollectedChunk<T>> {
    const { collectId } = this;
    return {
      commit(requests: readonly CommitRequest<CollectedChunk<T>>[]): void {
        send(context, collectId, requests.map((request) => request.committable));
      },
      close(): void {},
    };
  }
}

class CollectWriter<T> implements CommittingSinkWriter<T, CollectedChunk<T>>, StatefulSinkWriter<T, number> {
  readonly #context: SinkWriterContext;
  readonly #collectId: string;
  readonly #transactional: boolean;
  #values: T[] = [];
  #nextIndex: number;
  #timer: Cancellable | undefined;

  constructor(context: SinkWriterContext, collectId: string, nextIndex: number) {
    this.#context = context;
    this.#collectId = collectId;
    this.#nextIndex = nextIndex;
    this.#transactional = context.config.get(CHECKPOINTING_INTERVAL) !== undefined && context.config.get(RUNTIME_MODE) !== "BATCH";
  }

  write(value: T): void {
    this.#values.push(value);
    if (this.#transactional) return;
    if (this.#values.length >= CHUNK_SIZE) this.#sendNow();
    else this.#timer ??= this.#context.registerTimer(CHUNK_DELAY_MS, () => this.#sendNow());
  }
  flush(): void {
    if (!this.#transactional) this.#sendNow();
  }
  prepareCommit(): readonly CollectedChunk<T>[] {
    if (!this.#transactional || this.#values.length === 0) return [];
    const chunk = { firstIndex: this.#nextIndex, values: this.#values };
    this.#nextIndex += this.#values.length;
    this.#values = [];
    return [chunk];
  }
  snapshotState(): readonly number[] {
    return [this.#nextIndex];
  }
  close(): void {
    this.#timer?.cancel();
  }

  #sendNow(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#values.length === 0) return;
    const values = this.#values;
    this.#values = [];
    send(this.#context, this.#collectId, [{ firstIndex: undefined, values }]);
  }
}

function send<T>(context: SinkWriterContext, collectId: string, chunks: readonly CollectedChunk<T>[]): void {
  if (context.collect !== undefined) return context.collect(collectId, chunks);
  throw new MillraceError({
    code: "COLLECT_UNAVAILABLE",
    message: "there is no program to send collected records to",
    hint: "executeAndCollect and collectAsync need the program that started the job to stay attached; use a sink in a detached job",
  });
}
