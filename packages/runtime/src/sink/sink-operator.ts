import {
  CHECKPOINTING_INTERVAL, COMMITTER_RETRIES, ListStateDescriptor, NO_TIMESTAMP, MIN_WATERMARK, RUNTIME_MODE, Types,
  type Committer, type CommittingSinkWriter, type OneInputOperator, type OperatorContext, type OperatorListState, type Output, type Sink, type SinkWriteContext,
  type SinkWriter, type SinkWriterContext, type SnapshotCodec, type StatefulSinkWriter, type StateInitializationContext, type StateSnapshotContext,
} from "@millrace/core";
import type { SinkSpec } from "@millrace/graph";
import { jsonCodec } from "../source/split-codec.js";
import { commitWithRetries, type PendingCommittable } from "./committables.js";
import { sinkWriterContext, type SinkServices } from "./sink-writer-context.js";

type Writer = SinkWriter<unknown> & Partial<StatefulSinkWriter<unknown, unknown>> & Partial<CommittingSinkWriter<unknown, unknown>>;

class WriteContext implements SinkWriteContext {
  timestampMs: number = NO_TIMESTAMP;
  currentWatermark: number = MIN_WATERMARK;

  get timestamp(): number | undefined {
    return this.timestampMs === NO_TIMESTAMP ? undefined : this.timestampMs;
  }
}

const RETRY_PAUSE_MS = 1000;

/**
 * Writer and committer of a sink in one operator.
 *
 * Committables of a checkpoint are kept in operator state from `prepareSnapshot` until they are committed: when the checkpoint (or a later one) is complete,
 * and again after a restore. What the end of input leaves waits for one more checkpoint; without checkpointing it is committed at once. In batch mode
 * that is the only checkpoint, taken when nothing else of the job runs: what is committed before could be produced again by a later stage that fails.
 */
export class SinkOperator implements OneInputOperator<unknown, never> {
  /** For the compiled chain, which calls the writer itself while it is not `busy`. */
  writer: Writer;
  readonly writeContext: WriteContext;
  /** A write has not settled: records wait in the queue. */
  busy: boolean;
  private readonly context: OperatorContext;
  private readonly sink: Sink<unknown, unknown, unknown>;
  private readonly services: SinkServices;
  private readonly queue: (() => void | Promise<void>)[];
  private committer: Committer<unknown> | undefined;
  private writerState: OperatorListState<Uint8Array> | undefined;
  private committableState: OperatorListState<readonly [number, Uint8Array]> | undefined;
  private pending: PendingCommittable<unknown>[];
  /** Prepared at the end of input, not yet part of a checkpoint. */
  private unassigned: unknown[];
  private committing: Promise<void> | undefined;
  private finished: boolean;

  constructor(context: OperatorContext, spec: SinkSpec, services: SinkServices) {
    this.context = context;
    this.sink = spec.sink;
    this.services = services;
    this.writeContext = new WriteContext();
    this.writer = undefined as never;
    this.busy = false;
    this.queue = [];
    this.committer = undefined;
    this.writerState = undefined;
    this.committableState = undefined;
    this.pending = [];
    this.unassigned = [];
    this.committing = undefined;
    this.finished = false;
  }

  /** Something prepared is not committed yet: the task must not finish. */
  get hasUncommitted(): boolean {
    return this.pending.length > 0 || this.unassigned.length > 0 || this.committing !== undefined;
  }

  async open(state: StateInitializationContext): Promise<void> {
    const writerContext = sinkWriterContext(this.context, this.services, state.restoredCheckpointId);
    this.committer = (await this.sink.createCommitter?.(writerContext)) as Committer<unknown> | undefined;
    if (this.committer !== undefined) {
      this.committableState = state.operatorState.getListState(
        new ListStateDescriptor<readonly [number, Uint8Array]>("sink-committables", Types.tuple(Types.number, Types.bytes) as never),
      );
      this.pending = [...this.committableState.get()].map(([checkpointId, bytes]) => ({ checkpointId, committable: this.committableCodec.decode(bytes) }));
      // The checkpoint they belong to is complete, or it could not have been restored.
      await this.commitUpTo(Number.MAX_SAFE_INTEGER);
    }
    await this.createWriter(state, writerContext);
  }

  processRecord(value: unknown, timestampMs: number, _out?: Output<never>): void {
    if (this.busy) return this.enqueue(value, timestampMs);
    this.writeContext.timestampMs = timestampMs;
    const result = this.writer.write(value, this.writeContext);
    if (result !== undefined) this.pause(result);
  }

  /** Keeps a record until the write before it has settled. */
  enqueue(value: unknown, timestampMs: number): void {
    this.queue.push(() => {
      this.writeContext.timestampMs = timestampMs;
      return this.writer.write(value, this.writeContext);
    });
  }

  /** A call of the writer returned a promise: the task takes no input, and what is on its way waits. */
  pause(work: Promise<void>): void {
    this.busy = true;
    this.context.suspendUntil(this.drain(work));
  }

  processWatermark(timestampMs: number, out: Output<never>): void {
    const act = (): void | Promise<void> => {
      this.writeContext.currentWatermark = timestampMs;
      return this.writer.writeWatermark?.(timestampMs);
    };
    if (this.busy) this.queue.push(act);
    else {
      const result = act();
      if (result !== undefined) this.pause(result);
    }
    out.emitWatermark(timestampMs);
  }

  prepareSnapshot(checkpointId: number): void | Promise<void> {
    if (this.finished) {
      this.assign(checkpointId, this.unassigned.splice(0));
      return undefined;
    }
    return this.flush(false, (committables) => this.assign(checkpointId, committables));
  }

  async snapshotState(context: StateSnapshotContext): Promise<void> {
    if (this.writer.snapshotState !== undefined) {
      const codec = (this.sink.writerStateCodec as SnapshotCodec<unknown> | undefined) ?? jsonCodec;
      const states = this.finished ? [] : await this.writer.snapshotState(context.checkpointId);
      this.writerState!.update(states.map((one) => codec.encode(one)));
    }
    this.committableState?.update(this.pending.map(({ checkpointId, committable }) => [checkpointId, this.committableCodec.encode(committable)]));
  }

  notifyCheckpointComplete(checkpointId: number): void {
    if (this.pending.some((pending) => pending.checkpointId <= checkpointId)) this.startCommit(checkpointId);
  }

  async finish(): Promise<void> {
    const flushed = this.flush(true, (committables) => this.unassigned.push(...committables));
    if (flushed !== undefined) await flushed;
    this.finished = true;
    const { config } = this.context;
    if (config.get(CHECKPOINTING_INTERVAL) !== undefined || config.get(RUNTIME_MODE) === "BATCH") return;
    this.assign(0, this.unassigned.splice(0));
    await this.commitUpTo(Number.MAX_SAFE_INTEGER);
  }

  async close(): Promise<void> {
    await this.committing?.catch(() => undefined);
    // The committer is closed even when the writer fails to.
    try {
      await (this.writer as Writer | undefined)?.close();
    } finally {
      await this.committer?.close();
    }
  }

  private get committableCodec(): SnapshotCodec<unknown> {
    return (this.sink.committableCodec as SnapshotCodec<unknown> | undefined) ?? jsonCodec;
  }

  private async createWriter(state: StateInitializationContext, writerContext: SinkWriterContext): Promise<void> {
    const codec = (this.sink.writerStateCodec as SnapshotCodec<unknown> | undefined) ?? jsonCodec;
    this.writerState = state.operatorState.getListState(new ListStateDescriptor<Uint8Array>("sink-writer-state", Types.bytes));
    const restored = [...this.writerState.get()].map((bytes) => codec.decode(bytes));
    const { sink } = this;
    this.writer = (
      restored.length > 0 && sink.restoreWriter !== undefined ? await sink.restoreWriter(writerContext, restored) : await sink.createWriter(writerContext)
    ) as Writer;
  }

  /** Flushes the writer and takes what it wants committed; synchronous when the writer is. */
  private flush(endOfInput: boolean, take: (committables: readonly unknown[]) => void): void | Promise<void> {
    const prepare = (): void | Promise<void> => {
      const prepared = this.writer.prepareCommit?.();
      if (prepared === undefined) return undefined;
      if (prepared instanceof Promise) return prepared.then(take);
      take(prepared);
    };
    const flushed = this.writer.flush(endOfInput);
    return flushed === undefined ? prepare() : flushed.then(prepare);
  }

  private assign(checkpointId: number, committables: readonly unknown[]): void {
    for (const committable of committables) this.pending.push({ checkpointId, committable });
  }

  private startCommit(checkpointId: number): void {
    const committing = (this.committing ?? Promise.resolve())
      .then(() => this.commitUpTo(checkpointId))
      .then(
        () => {
          // Another one may wait behind it already, and must be waited for in its turn: two at a time would commit the same twice.
          if (this.committing === committing) this.committing = undefined;
          this.services.committed();
        },
        (error: unknown) => this.services.fail(error),
      );
    this.committing = committing;
  }

  private async commitUpTo(checkpointId: number): Promise<void> {
    const due = this.pending.filter((pending) => pending.checkpointId <= checkpointId);
    if (due.length === 0 || this.committer === undefined) return;
    const pause = (): Promise<void> => new Promise((resolve) => void this.context.clock.setTimer(RETRY_PAUSE_MS, resolve));
    await commitWithRetries(this.committer, due.map(({ committable }) => committable), this.context.config.get(COMMITTER_RETRIES), pause);
    const done = new Set(due);
    this.pending = this.pending.filter((pending) => !done.has(pending));
  }

  private async drain(work: Promise<void>): Promise<void> {
    await work;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const result = next();
      if (result !== undefined) await result;
    }
    this.busy = false;
  }
}
