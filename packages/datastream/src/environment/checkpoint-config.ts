import {
  CHECKPOINTING_ALIGNED_TIMEOUT, CHECKPOINTING_DIRECTORY, CHECKPOINTING_INTERVAL_DURING_BACKLOG, CHECKPOINTING_MAX_CONCURRENT, CHECKPOINTING_MIN_PAUSE, CHECKPOINTING_MODE, CHECKPOINTING_RETAINED,
  CHECKPOINTING_RETENTION, CHECKPOINTING_TIMEOUT, CHECKPOINTING_TOLERABLE_FAILURES, CHECKPOINTING_UNALIGNED, CHECKPOINTING_UNALIGNED_FORCED,
  type ConfigOption, type DurationLike,
} from "@millrace/core";

type Retention = "NO_EXTERNALIZED_CHECKPOINTS" | "DELETE_ON_CANCELLATION" | "RETAIN_ON_CANCELLATION";

/** How checkpoints are taken and kept. A view: what is set here is set in the environment. Flink: CheckpointConfig. */
export class CheckpointConfig {
  readonly #set: <T>(option: ConfigOption<T>, value: unknown) => void;

  constructor(set: <T>(option: ConfigOption<T>, value: unknown) => void) {
    this.#set = set;
  }

  setCheckpointingMode(mode: "EXACTLY_ONCE" | "AT_LEAST_ONCE"): this {
    this.#set(CHECKPOINTING_MODE, mode);
    return this;
  }
  /** The least time between the end of one checkpoint and the start of the next. */
  setMinPauseBetweenCheckpoints(pause: DurationLike): this {
    this.#set(CHECKPOINTING_MIN_PAUSE, pause);
    return this;
  }
  /** The most checkpoints in progress at a time; with a pause between them it is one. */
  setMaxConcurrentCheckpoints(count: number): this {
    this.#set(CHECKPOINTING_MAX_CONCURRENT, count);
    return this;
  }
  /** Time between checkpoints while a source reads a backlog; 0 takes none then. */
  setCheckpointIntervalDuringBacklog(interval: DurationLike): this {
    this.#set(CHECKPOINTING_INTERVAL_DURING_BACKLOG, interval);
    return this;
  }
  setCheckpointTimeout(timeout: DurationLike): this {
    this.#set(CHECKPOINTING_TIMEOUT, timeout);
    return this;
  }
  setTolerableCheckpointFailureNumber(failures: number): this {
    this.#set(CHECKPOINTING_TOLERABLE_FAILURES, failures);
    return this;
  }
  /** Directory the checkpoints go to. */
  setCheckpointStorage(directory: string): this {
    this.#set(CHECKPOINTING_DIRECTORY, directory);
    return this;
  }
  setMaxRetainedCheckpoints(count: number): this {
    this.#set(CHECKPOINTING_RETAINED, count);
    return this;
  }
  setExternalizedCheckpointRetention(retention: Retention): this {
    this.#set(CHECKPOINTING_RETENTION, retention);
    return this;
  }
  /** Barriers overtake the records between tasks, so that a checkpoint is quick under back-pressure; those records are part of it. */
  enableUnalignedCheckpoints(enabled: boolean = true): this {
    this.#set(CHECKPOINTING_UNALIGNED, enabled);
    return this;
  }
  /** How long an unaligned checkpoint tries to be an aligned one first, counted from its start; 0 (the default) does not try. */
  setAlignedCheckpointTimeout(timeout: DurationLike): this {
    this.#set(CHECKPOINTING_ALIGNED_TIMEOUT, timeout);
    return this;
  }
  /** Barriers overtake records on forward, rescale and broadcast exchanges, too. Such a checkpoint restores at the same parallelism only. */
  setForceUnalignedCheckpoints(forced: boolean): this {
    this.#set(CHECKPOINTING_UNALIGNED_FORCED, forced);
    return this;
  }
}
