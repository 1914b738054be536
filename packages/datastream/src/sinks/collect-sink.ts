import { CHECKPOINTING_INTERVAL, MillraceError, RUNTIME_MODE, type CommitRequest, type CommittingSinkWriter, type Committer, type Sink, type SinkWriterContext, type StatefulSinkWriter, type Cancellable } from "@millrace/core";

import { CommitBacklog } from "./commit-backlog.js";

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
 * With checkpointing a record is sent once the checkpoint that covers it is complete, and shown with the next one: a program that goes on from the former gets it again; otherwise at once, and again after a restart.
 */
export class CollectSink<T> implements Sink<T, CollectedChunk<T>, number> {
  readonly description: string = "Collect";
  readonly collectId: string;
  /** A writer and its committer have the same context. */
  readonly #backlogs = new WeakMap<SinkWriterContext, CommitBacklog>();

  constructor(collectId: string) {
    this.collectId = collectId;
  }

  createWriter(context: SinkWriterContext): CollectWriter<T> {
    return new CollectWriter<T>(context, this.collectId, 0, this.#backlog(context));
  }
  restoreWriter(context: SinkWriterContext, state: readonly number[]): CollectWriter<T> {
    return new CollectWriter<T>(context, this.collectId, state.length === 0 ? 0 : Math.max(...state), this.#backlog(context));
  }
  createCommitter(context: SinkWriterContext): Committer<CollectedChunk<T>> {
    const { collectId } = this;
    const backlog = this.#backlog(context);
    return {
      commit: (requests: readonly CommitRequest<CollectedChunk<T>>[]): Promise<void> => {
        const chunks = requests.map(({ committable }) => committable);
        return backlog.whileCommitting(chunks, chunks.reduce((sum, { values }) => sum + values.length, 0), async () => {
          for (const chunk of chunks) for (const piece of piecesOf(chunk)) await send(context, collectId, piece);
        });
      },
      close(): void {},
    };
  }

  #backlog(context: SinkWriterContext): CommitBacklog {
    let backlog = this.#backlogs.get(context);
    if (backlog === undefined) this.#backlogs.set(context, (backlog = new CommitBacklog()));
    return backlog;
  }
}

class CollectWriter<T> implements CommittingSinkWriter<T, CollectedChunk<T>>, StatefulSinkWriter<T, number> {
  readonly #context: SinkWriterContext;
  readonly #collectId: string;
  readonly #transactional: boolean;
  readonly #backlog: CommitBacklog;
  #values: T[] = [];
  #nextIndex: number;
  #timer: Cancellable | undefined;

  constructor(context: SinkWriterContext, collectId: string, nextIndex: number, backlog: CommitBacklog) {
    this.#context = context;
    this.#backlog = backlog;
    this.#collectId = collectId;
    this.#nextIndex = nextIndex;
    this.#transactional = context.config.get(CHECKPOINTING_INTERVAL) !== undefined && context.config.get(RUNTIME_MODE) !== "BATCH";
  }

  write(value: T): void | Promise<void> {
    this.#values.push(value);
    if (this.#transactional) return this.#backlog.wait(this.#values.length);
    if (this.#values.length >= CHUNK_SIZE) return this.#sendNow();
    this.#timer ??= this.#context.registerTimer(CHUNK_DELAY_MS, () => this.#sendNow());
  }
  flush(): void | Promise<void> {
    return this.#transactional ? undefined : this.#sendNow();
  }
  prepareCommit(): readonly CollectedChunk<T>[] {
    if (!this.#transactional || this.#values.length === 0) return [];
    const chunk = { firstIndex: this.#nextIndex, values: this.#values };
    this.#nextIndex += this.#values.length;
    this.#values = [];
    this.#backlog.prepared(chunk);
    return [chunk];
  }
  snapshotState(): readonly number[] {
    return [this.#nextIndex];
  }
  close(): void {
    this.#timer?.cancel();
  }

  #sendNow(): void | Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#values.length === 0) return;
    const values = this.#values;
    this.#values = [];
    return send(this.#context, this.#collectId, { firstIndex: undefined, values });
  }
}

/** A checkpoint may cover many values; a slow program takes them bit by bit. */
function* piecesOf<T>({ firstIndex = 0, values }: CollectedChunk<T>): Generator<CollectedChunk<T>> {
  for (let at = 0; at < values.length; at += CHUNK_SIZE) yield { firstIndex: firstIndex + at, values: values.slice(at, at + CHUNK_SIZE) };
}

function send<T>(context: SinkWriterContext, collectId: string, chunk: CollectedChunk<T>): void | Promise<void> {
  if (context.collect !== undefined) return context.collect(collectId, [chunk]);
  throw new MillraceError({
    code: "COLLECT_UNAVAILABLE",
    message: "there is no program to send collected records to",
    hint: "executeAndCollect and collectAsync need the program that started the job to stay attached; use a sink in a detached job",
  });
}
