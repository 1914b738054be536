import type { Clock } from "../env/clock.js";
import type { FileSystem } from "../env/file-system.js";
import type { Configuration } from "../config/configuration.js";
import type { MetricGroup } from "../metrics/metrics.js";
import type { Cancellable } from "../env/clock.js";
import type { SnapshotCodec } from "../source/source.js";

/** What a sink's writer is made with. */
export interface SinkWriterContext {
  readonly jobId: string;
  readonly operatorId: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly attemptNumber: number;
  /** The checkpoint this attempt was restored from; `undefined` on a fresh start. */
  readonly restoredCheckpointId: number | undefined;
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly config: Configuration;
  readonly metrics: MetricGroup;
  random(): number;
  /** Calls `action` on the task's thread, between records, after `delayMs` of processing time. */
  registerTimer(delayMs: number, action: () => void | Promise<void>): Cancellable;
  /** Writes a line to the log; `print` goes to the standard output of the job's client. */
  log(level: "print" | "info" | "warn", line: string): void | Promise<void>;
  /**
   * Sends values to the program that called `execute()`, to its collector of that id; in order per subtask. Absent where no program is attached.
   * What it returns, and what a `print` line does, is to be waited for before more is sent: the program is slow, and has not taken what is on its way.
   */
  collect?(collectId: string, values: readonly unknown[]): void | Promise<void>;
}

/** What a writer can ask about the record it writes. Only valid during the call. */
export interface SinkWriteContext {
  /** `undefined` for a record without event time. */
  readonly timestamp: number | undefined;
  readonly currentWatermark: number;
}

/** Writes the records of one subtask. Called from the task's thread, one call at a time; a promise pauses the input. */
export interface SinkWriter<T> {
  write(value: T, context: SinkWriteContext): void | Promise<void>;
  /** Before every checkpoint and at the end of input: nothing may stay buffered that the external system could lose. */
  flush(endOfInput: boolean): void | Promise<void>;
  writeWatermark?(timestampMs: number): void | Promise<void>;
  close(): void | Promise<void>;
}
/** A writer with state of its own in the checkpoint. */
export interface StatefulSinkWriter<T, W> extends SinkWriter<T> {
  snapshotState(checkpointId: number): readonly W[] | Promise<readonly W[]>;
}
/** A writer for two-phase commit: what it returns is committed after the checkpoint is complete. */
export interface CommittingSinkWriter<T, C> extends SinkWriter<T> {
  /** After `flush`: what the checkpoint in progress must commit. */
  prepareCommit(): readonly C[] | Promise<readonly C[]>;
}

/** One committable on its way; call at most one of the methods. Doing nothing means: committed. */
export interface CommitRequest<C> {
  readonly committable: C;
  /** 0 at first. */
  readonly numberOfRetries: number;
  /** Tried again later; after `sink.committer.retries` the job fails. */
  retryLater(): void;
  signalAlreadyCommitted(): void;
  signalFailedWithKnownReason(error: unknown): void;
}
/** Makes prepared work visible. Must be idempotent: after a failure the same committable comes again. */
export interface Committer<C> {
  commit(requests: readonly CommitRequest<C>[]): void | Promise<void>;
  close(): void | Promise<void>;
}

/** A sink: a writer per subtask and, for exactly-once, a committer. Flink: Sink V2. */
export interface Sink<T, C = never, W = never> {
  createWriter(context: SinkWriterContext): SinkWriter<T> | Promise<SinkWriter<T>>;
  restoreWriter?(context: SinkWriterContext, state: readonly W[]): SinkWriter<T> | Promise<SinkWriter<T>>;
  createCommitter?(context: SinkWriterContext): Committer<C> | Promise<Committer<C>>;
  readonly committableCodec?: SnapshotCodec<C>;
  readonly writerStateCodec?: SnapshotCodec<W>;
  readonly description?: string;
}
