import type { Clock } from "../env/clock.js";
import type { FileSystem } from "../env/file-system.js";
import type { Net } from "../env/net.js";
import type { Configuration } from "../config/configuration.js";
import type { MetricGroup } from "../metrics/metrics.js";

/** Whether a source ends. */
export type Boundedness = "bounded" | "continuous-unbounded";

/** A part of a source that one reader reads: a file range, a partition. Must survive JSON or declare a codec in {@link Source.splitCodec}. */
export interface SourceSplit {
  readonly splitId: string;
}

/** Turns splits or enumerator state into bytes and back; versioned by its owner. Default: JSON. */
export interface SnapshotCodec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/**
 * A source: an enumerator that finds splits and hands them out (one per job), and readers that read them (one per subtask).
 *
 * Make custom ones by implementing this interface. Exactly-once needs splits whose state says where to go on. Flink: FLIP-27.
 */
export interface Source<T, S extends SourceSplit = SourceSplit, E = unknown> {
  readonly boundedness: Boundedness;
  createEnumerator(context: SplitEnumeratorContext<S>, restored: E | undefined): SplitEnumerator<S, E> | Promise<SplitEnumerator<S, E>>;
  createReader(context: SourceReaderContext): SourceReader<T, S>;
  readonly splitCodec?: SnapshotCodec<S>;
  readonly enumeratorCodec?: SnapshotCodec<E>;
  /** Name shown in plans and errors. */
  readonly description?: string;
}

/** What an enumerator may use. Its callbacks run one at a time; never call it from outside of them. */
export interface SplitEnumeratorContext<S extends SourceSplit> {
  readonly parallelism: number;
  /** Subtasks whose readers are there now. */
  registeredReaders(): readonly number[];
  assignSplit(split: S, subtask: number): void;
  /** The reader finishes once it has read what it was given. */
  signalNoMoreSplits(subtask: number): void;
  sendEventToReader(subtask: number, event: unknown): void;
  /** Runs `work`, then `handle` with its result or error, between other callbacks; repeats every `periodMs` when given. */
  callAsync<R>(work: () => Promise<R>, handle: (result: R | undefined, error: unknown) => void, periodMs?: number): void;
  /**
   * Says whether the source reads records that have waited for long, so that results need not be fresh: checkpoints then come at
   * `execution.checkpointing.interval-during-backlog`. At first it does not. Flink: FLIP-309.
   */
  setIsProcessingBacklog(isProcessingBacklog: boolean): void;
  readonly metrics: MetricGroup;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly config: Configuration;
}

/** Finds a source's splits and hands them to readers: one per source, in a slot. Calls come one at a time. Flink: SplitEnumerator (FLIP-27). */
export interface SplitEnumerator<S extends SourceSplit, E> {
  start(): void | Promise<void>;
  /** The reader of `subtask` asks for (another) split. */
  handleSplitRequest?(subtask: number): void;
  /** Splits assigned after the last checkpoint come back when their reader failed. */
  addSplitsBack(splits: readonly S[], subtask: number): void;
  addReader(subtask: number): void;
  handleSourceEvent?(subtask: number, event: unknown): void;
  snapshotState(checkpointId: number): E | Promise<E>;
  notifyCheckpointComplete?(checkpointId: number): void;
  close?(): void | Promise<void>;
}

/** What a reader says after a poll: call again, wait for `available`, or never again. */
export type InputStatus = "more-available" | "nothing-available" | "end-of-input";

/** What a reader is made with, and its way to the enumerator. */
export interface SourceReaderContext {
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly config: Configuration;
  readonly metrics: MetricGroup;
  /** Connections to the outside, where the environment has them. */
  readonly net?: Net;
  random(): number;
  sendSplitRequest(): void;
  sendSourceEvent(event: unknown): void;
}

/** Where a reader puts records. */
export interface ReaderOutput<T> {
  /** `timestampMs` is the source's own time stamp, if it has one; a strategy's assigner comes after. */
  collect(value: T, timestampMs?: number): void;
  /** A whole batch; `timestampsMs` null when the source has none. The arrays belong to the engine afterwards. */
  collectBatch(values: T[], timestampsMs: Float64Array | null): void;
  /**
   * The records `generate(first)` to `generate(first + count - 1)`, without time stamps of the source. They are made before this returns, in order, each when
   * the one before it went through the chain if that is possible: a record that does not leave the chain then need not become an object at all.
   */
  collectGenerated(generate: (index: number) => T, first: number, count: number): void;
  /** A record that could not be read; goes to the source's side output `tag`. */
  sideOutput(tagId: string, value: unknown, timestampMs?: number): void;
  /** The output whose watermark belongs to this split alone. */
  forSplit(splitId: string): ReaderOutput<T>;
  releaseSplit(splitId: string): void;
  /** True when the task wants to do something else: return from `pollNext` soon. */
  readonly full: boolean;
}

/** Reads splits in one subtask. All calls come from the task's thread, one at a time; nothing here may block. */
export interface SourceReader<T, S extends SourceSplit> {
  start(): void | Promise<void>;
  /** Emits a bounded number of records (stop when `output.full`), from memory: waiting is done by {@link SourceReader.available}. */
  pollNext(output: ReaderOutput<T>): InputStatus;
  /** Resolves when `pollNext` is worth calling again. Only asked after `nothing-available`. */
  available(): Promise<void>;
  addSplits(splits: readonly S[]): void;
  notifyNoMoreSplits(): void;
  handleSourceEvent?(event: unknown): void;
  /** The splits as they stand now, positions included: everything emitted by `pollNext` so far is behind them. */
  snapshotState(checkpointId: number): readonly S[] | Promise<readonly S[]>;
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>;
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>;
  /** Watermark alignment: splits to stop and to go on with. */
  pauseOrResumeSplits?(pause: readonly string[], resume: readonly string[]): void;
  close(): void | Promise<void>;
}
