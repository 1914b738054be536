import type { Cancellable, Configuration, Env, SnapshotCodec, Source, SourceSplit, SplitEnumerator, SplitEnumeratorContext } from "@millrace/core";
import { MetricRegistry } from "../metrics/metric-registry.js";
import type { CoordinatorToOperator, OperatorToCoordinator } from "../protocol/messages.js";
import { jsonCodec } from "./split-codec.js";

/** Where a coordinator's messages go. */
export interface CoordinatorLink {
  toReader(subtaskIndex: number, event: CoordinatorToOperator): void;
  snapshot(checkpointId: number, state: Uint8Array): void;
  processingBacklog(isProcessing: boolean): void;
  fail(error: unknown): void;
}

type Action = () => unknown;

/**
 * Hosts the split enumerator of one source.
 *
 * Its callbacks run one at a time and in order: one that returns a promise holds the next ones back until it has settled. Flink: SourceCoordinator.
 */
export class SourceCoordinator {
  readonly #source: Source<any, any, any>;
  readonly #parallelism: number;
  readonly #env: Env;
  readonly #config: Configuration;
  readonly #link: CoordinatorLink;
  readonly #splitCodec: SnapshotCodec<SourceSplit>;
  readonly #stateCodec: SnapshotCodec<unknown>;
  readonly #readers = new Set<number>();
  readonly #actions: Action[] = [];
  readonly #timers = new Set<Cancellable>();
  #enumerator: SplitEnumerator<SourceSplit, unknown> | undefined;
  #busy = false;
  #closed = false;

  constructor(source: Source<any, any, any>, parallelism: number, env: Env, config: Configuration, link: CoordinatorLink) {
    this.#source = source;
    this.#parallelism = parallelism;
    this.#env = env;
    this.#config = config;
    this.#link = link;
    this.#splitCodec = (source.splitCodec as SnapshotCodec<SourceSplit> | undefined) ?? jsonCodec;
    this.#stateCodec = (source.enumeratorCodec as SnapshotCodec<unknown> | undefined) ?? jsonCodec;
  }

  start(restored: Uint8Array | undefined): void {
    this.#run(() => {
      const made = this.#source.createEnumerator(this.#context(), restored === undefined ? undefined : this.#stateCodec.decode(restored));
      if (!(made instanceof Promise)) this.#enumerator = made;
      else return made.then((enumerator) => void (this.#enumerator = enumerator));
    });
    this.#run(() => this.#enumerator!.start());
  }

  event(subtaskIndex: number, event: OperatorToCoordinator): void {
    this.#run(() => {
      const enumerator = this.#enumerator!;
      if (event.kind === "readerRegistered") {
        this.#readers.add(subtaskIndex);
        enumerator.addReader(subtaskIndex);
      } else if (event.kind === "splitRequest") enumerator.handleSplitRequest?.(subtaskIndex);
      else if (event.kind === "sourceEvent") enumerator.handleSourceEvent?.(subtaskIndex, event.event);
    });
  }

  snapshot(checkpointId: number): void {
    this.#run(() => {
      const done = (state: unknown): void => this.#link.snapshot(checkpointId, this.#stateCodec.encode(state));
      const state = this.#enumerator!.snapshotState(checkpointId);
      if (state instanceof Promise) return state.then(done);
      done(state);
    });
  }

  checkpointComplete(checkpointId: number): void {
    this.#run(() => this.#enumerator!.notifyCheckpointComplete?.(checkpointId));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#actions.length = 0;
    // Nobody is left to tell when closing fails.
    try {
      const closed = this.#enumerator?.close?.();
      if (closed !== undefined) closed.catch(() => undefined);
    } catch {
      return;
    }
  }

  #context(): SplitEnumeratorContext<SourceSplit> {
    const { clock, fs } = this.#env;
    return {
      parallelism: this.#parallelism,
      registeredReaders: () => [...this.#readers].sort((a, b) => a - b),
      assignSplit: (split, subtask) => this.#link.toReader(subtask, { kind: "assignSplits", splits: [this.#splitCodec.encode(split)] }),
      signalNoMoreSplits: (subtask) => this.#link.toReader(subtask, { kind: "noMoreSplits" }),
      sendEventToReader: (subtask, event) => this.#link.toReader(subtask, { kind: "sourceEvent", event }),
      callAsync: (work, handle, periodMs) => this.#callAsync(work, handle as (result: unknown, error: unknown) => void, periodMs),
      setIsProcessingBacklog: (isProcessing) => {
        if (!this.#closed) this.#link.processingBacklog(isProcessing);
      },
      metrics: new MetricRegistry(clock).group("enumerator"),
      fs,
      clock,
      config: this.#config,
    };
  }

  #callAsync(work: () => Promise<unknown>, handle: (result: unknown, error: unknown) => void, periodMs: number | undefined): void {
    if (this.#closed) return;
    const finished = (result: unknown, error: unknown): void => {
      this.#run(() => handle(result, error));
      if (periodMs === undefined || this.#closed) return;
      const timer = this.#env.clock.setTimer(periodMs, () => {
        this.#timers.delete(timer);
        this.#callAsync(work, handle, periodMs);
      });
      this.#timers.add(timer);
    };
    // `work` may throw before it returns a promise.
    Promise.resolve().then(work).then((result) => finished(result, undefined), (error: unknown) => finished(undefined, error));
  }

  #run(action: Action): void {
    if (this.#closed) return;
    this.#actions.push(action);
    if (!this.#busy) this.#next();
  }

  #next(): void {
    this.#busy = true;
    try {
      for (let action = this.#actions.shift(); action !== undefined; action = this.#actions.shift()) {
        const result = action();
        if (!(result instanceof Promise)) continue;
        result.then(() => this.#next(), (error: unknown) => this.#failed(error));
        return;
      }
      this.#busy = false;
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const wasClosed = this.#closed;
    this.close();
    if (!wasClosed) this.#link.fail(error);
  }
}
