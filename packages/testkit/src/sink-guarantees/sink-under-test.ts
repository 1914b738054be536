import type { FileSystem, Sink } from "@millrace/core";
import type { SinkGuarantee } from "./guarantee.js";

/** One fresh external system, for one case. */
export interface SinkUnderTest<T> {
  /** Makes the sink, as a job's module would: every job gets one of its own. */
  sink(): Sink<T, any, any>;
  /** What readers of the external system see now, a text per record. */
  read(): readonly string[] | Promise<readonly string[]>;
  /**
   * What readers see now or will see, since nothing can take it back any more. Default: `read`. Give it when the two differ: readers of Kafka wait behind every open
   * transaction, also for records that are committed.
   */
  committed?(): readonly string[] | Promise<readonly string[]>;
  /** What is begun or prepared there and neither visible nor given up, for the messages: nothing of it may be left when the jobs have ended. */
  pending?(): readonly unknown[] | Promise<readonly unknown[]>;
  /** Makes the external system unreachable, and reachable again. */
  readonly outage?: { begin(): void | Promise<void>; end(): void | Promise<void> };
  close?(): void | Promise<void>;
}

/** Room for files of a case. */
export interface SinkPlace {
  /** Empty, and the case's own. */
  readonly directory: string;
  /** The file system that the jobs run on: in memory in virtual time. */
  readonly fs: FileSystem;
}

/** What is tested, and how. */
export interface SinkGuaranteesOptions<T> {
  /** Begins the names of the cases. */
  readonly name: string;
  readonly guarantee: SinkGuarantee;
  /**
   * Writing a record again has no effect (an upsert): then even what was visible before a job went back to an older checkpoint, or started anew, must not be
   * there twice. Default false.
   */
  readonly idempotent?: boolean;
  /** Whether everything before a checkpoint is visible once it is complete and committed. Default true; a file that goes on over checkpoints is not. */
  readonly visibleWithCheckpoint?: boolean;
  /** Opens a new, empty external system. */
  open(place: SinkPlace): SinkUnderTest<T> | Promise<SinkUnderTest<T>>;
  /** The record of a number from 0. Default: `record 17`. */
  record?(index: number): T;
  /** The record as {@link SinkUnderTest.read} gives it. Default: `String(record)`. */
  text?(record: T): string;
  /** Records per case. Default 120. */
  readonly records?: number;
  /** Default 1000. Of a slow external system or machine fewer, so that a job lasts for some checkpoints. */
  readonly recordsPerSecond?: number;
  /** Default 15 ms. */
  readonly checkpointIntervalMs?: number;
  /**
   * `virtual` (default) for sinks that reach no further than this process and the file system of their context: time passes as fast as the jobs run, and a seed gives the same run again.
   * `real` for others.
   */
  readonly time?: "virtual" | "real";
  /**
   * `every`: at each place at the first visit, at one in the middle and at the last one, each as a failed task and as a process that dies. `some`: at each place
   * once. Default: `every` in virtual time.
   */
  readonly kills?: "every" | "some";
  /** Random sequences. Default 20 in virtual time, 3 in real time. */
  readonly seeds?: number;
  /** The seed of the first random sequence: to repeat one that failed, with `seeds: 1`. Default 1. */
  readonly firstSeed?: number;
  /** A job that takes longer has hung. Default 60 s; in virtual time, of the virtual clock, an hour. */
  readonly timeoutMs?: number;
}
