import type { Committer, CommitRequest, CommittingSinkWriter, Sink, SinkWriterContext } from "millrace";
import type { SimulatedProcess } from "@millrace/env-sim";
import type { Probe } from "../job/probe.js";
import type { ExternalStore } from "./external-store.js";

interface Committable {
  readonly id: string;
}

/** Attempts of one submission have smaller numbers: each leader begins with a million times its token. */
const ATTEMPTS_PER_RUN = 1_000_000_000;

/** Writes into the external store in two phases, and lets the probe see the watermarks that come through all of the job. */
export class StoreSink implements Sink<string, Committable> {
  readonly #store: ExternalStore;
  readonly #process: SimulatedProcess;
  readonly #sink: number;
  readonly #run: number;
  readonly #probe: Pick<Probe, "watermark">;

  constructor(store: ExternalStore, process: SimulatedProcess, sink: number, run: number, probe: Pick<Probe, "watermark">) {
    this.#store = store;
    this.#probe = probe;
    this.#process = process;
    this.#sink = sink;
    this.#run = run;
  }

  async createWriter(context: SinkWriterContext): Promise<CommittingSinkWriter<string, Committable>> {
    const store = this.#store;
    const caller = this.#process;
    const sink = this.#sink;
    const epoch = this.#run * ATTEMPTS_PER_RUN + context.attemptNumber;
    await store.open(caller, sink, epoch);
    let open: string[] = [];
    let prepared = 0;
    let cleanedUp = false;
    store.watch(sink, epoch, () => open.length);
    const watermark = (watermarkMs: number): void => this.#probe.watermark(`sink ${sink}`, `${this.#run}.${context.attemptNumber}`, context.subtaskIndex, watermarkMs);
    return {
      write: (value) => {
        open.push(value);
        const { slowMs } = store;
        return slowMs === 0 ? undefined : new Promise((resolve) => void caller.later(slowMs * 1000, resolve));
      },
      writeWatermark: watermark,
      flush: async (endOfInput) => {
        // A checkpoint is taken when all tasks run: by then each has committed what it was restored with.
        if (endOfInput || cleanedUp) return;
        cleanedUp = true;
        await store.abortOlder(caller, sink, epoch);
      },
      prepareCommit: async () => {
        const values = open;
        open = [];
        if (values.length === 0) return [];
        const id = `${sink}/${this.#run}.${context.attemptNumber}/${context.subtaskIndex}/${prepared++}`;
        await store.prepare(caller, id, sink, epoch, values);
        return [{ id }];
      },
      close: () => undefined,
    };
  }

  createCommitter(): Committer<Committable> {
    return {
      commit: async (requests) => {
        for (const request of requests) await this.#commit(request);
      },
      close: () => undefined,
    };
  }

  async #commit(request: CommitRequest<Committable>): Promise<void> {
    try {
      if ((await this.#store.commit(this.#process, request.committable.id)) === "already committed") request.signalAlreadyCommitted();
    } catch {
      request.retryLater();
    }
  }
}
