import type { CommitRequest, Committer, CommittingSinkWriter, Sink, SinkWriter, SinkWriterContext, SnapshotCodec, StatefulSinkWriter } from "@millrace/core";

type AnyWriter<T> = SinkWriter<T> & Partial<StatefulSinkWriter<T, unknown>> & Partial<CommittingSinkWriter<T, unknown>>;

/** Where a {@link KillingSink} can be killed. */
export const KILL_PLACES = [
  "before createWriter", "after createWriter", "before write", "after write", "before flush", "after flush", "before prepareCommit", "after prepareCommit",
  "before snapshotState", "after snapshotState", "before commit", "in the middle of commit", "after commit",
] as const;

/** Decides at every place; throws to kill there, with `dies` as the process ends without a last word. */
export interface Killer {
  visit(place: (typeof KILL_PLACES)[number]): void;
  /** Whether what was just thrown is the end of the process and not of the task alone. */
  readonly dies: boolean;
}

/**
 * Any sink, killed where a {@link Killer} says. When the process dies, the writer and the committer are left as they are: nobody closes them, what they have not
 * sent never arrives. {@link buryTheDead} closes them in the end, so that the test leaks nothing.
 */
export class KillingSink<T> implements Sink<T, unknown, unknown> {
  readonly description: string;
  readonly committableCodec?: SnapshotCodec<unknown>;
  readonly writerStateCodec?: SnapshotCodec<unknown>;
  readonly createCommitter?: (context: SinkWriterContext) => Promise<Committer<unknown>>;
  readonly restoreWriter?: (context: SinkWriterContext, state: readonly unknown[]) => Promise<SinkWriter<T>>;
  readonly #inner: Sink<T, unknown, unknown>;
  readonly #killer: Killer;
  readonly #dead = new WeakSet<SinkWriterContext>();
  readonly #unburied: (() => void | Promise<void>)[] = [];

  constructor(inner: Sink<T, unknown, unknown>, killer: Killer) {
    this.#inner = inner;
    this.#killer = killer;
    this.description = inner.description ?? "sink under test";
    if (inner.committableCodec !== undefined) this.committableCodec = inner.committableCodec;
    if (inner.writerStateCodec !== undefined) this.writerStateCodec = inner.writerStateCodec;
    if (inner.createCommitter !== undefined) this.createCommitter = async (context) => this.#committer(context, await inner.createCommitter!(context));
    if (inner.restoreWriter !== undefined) this.restoreWriter = (context, state) => this.#opened(context, async () => inner.restoreWriter!(context, state));
  }

  createWriter(context: SinkWriterContext): Promise<SinkWriter<T>> {
    return this.#opened(context, async () => this.#inner.createWriter(context));
  }

  /** Closes what died. */
  async buryTheDead(): Promise<void> {
    await Promise.allSettled(this.#unburied.splice(0).map((close) => close()));
  }

  async #opened(context: SinkWriterContext, open: () => Promise<SinkWriter<T>>): Promise<SinkWriter<T>> {
    this.#visit(context, "before createWriter");
    const writer = await open();
    try {
      this.#visit(context, "after createWriter");
    } catch (error) {
      // Nobody else knows of it.
      await this.#close(context, () => writer.close());
      throw error;
    }
    return this.#writer(context, writer);
  }

  #writer(context: SinkWriterContext, writer: AnyWriter<T>): SinkWriter<T> {
    const around = <R>(step: "write" | "flush" | "prepareCommit" | "snapshotState", call: () => R | Promise<R>): R | Promise<R> => {
      this.#visit(context, `before ${step}`);
      const result = call();
      if (!(result instanceof Promise)) {
        this.#visit(context, `after ${step}`);
        return result;
      }
      return result.then((value) => {
        this.#visit(context, `after ${step}`);
        return value;
      });
    };
    const killed: AnyWriter<T> = {
      write: (value, writeContext) => around("write", () => writer.write(value, writeContext)),
      flush: (endOfInput) => around("flush", () => writer.flush(endOfInput)),
      close: () => this.#close(context, () => writer.close()),
    };
    if (writer.writeWatermark !== undefined) killed.writeWatermark = (timestampMs) => writer.writeWatermark!(timestampMs);
    if (writer.prepareCommit !== undefined) killed.prepareCommit = () => around("prepareCommit", () => writer.prepareCommit!());
    if (writer.snapshotState !== undefined) killed.snapshotState = (checkpointId) => around("snapshotState", () => writer.snapshotState!(checkpointId));
    return killed;
  }

  #committer(context: SinkWriterContext, committer: Committer<unknown>): Committer<unknown> {
    return {
      commit: async (requests) => {
        this.#visit(context, "before commit");
        await this.#commit(context, committer, requests);
        this.#visit(context, "after commit");
      },
      close: () => this.#close(context, () => committer.close()),
    };
  }

  async #commit(context: SinkWriterContext, committer: Committer<unknown>, requests: readonly CommitRequest<unknown>[]): Promise<void> {
    try {
      this.#visit(context, "in the middle of commit");
    } catch (error) {
      if (requests.length > 1) await committer.commit(requests.slice(0, requests.length >> 1));
      throw error;
    }
    await committer.commit(requests);
  }

  #close(context: SinkWriterContext, close: () => void | Promise<void>): void | Promise<void> {
    if (!this.#dead.has(context)) return close();
    this.#unburied.push(close);
  }

  #visit(context: SinkWriterContext, place: (typeof KILL_PLACES)[number]): void {
    try {
      this.#killer.visit(place);
    } catch (error) {
      if (this.#killer.dies) this.#dead.add(context);
      throw error;
    }
  }
}
