import { configOption, type ConfigOption } from "./config-option.js";

/** Checkpointing beyond what an embedded job needs, under Flink's keys. */
export const CHECKPOINTING_INTERVAL_DURING_BACKLOG: ConfigOption<number | undefined> = configOption.optionalDuration(
  "execution.checkpointing.interval-during-backlog", undefined, "Time between checkpoints while a source works off its backlog; 0 means none then, not set the same as always.");
export const CHECKPOINTING_MAX_CONCURRENT: ConfigOption<number> = configOption.positiveInteger(
  "execution.checkpointing.max-concurrent-checkpoints", 1, "Checkpoints that may be in progress at a time.");
export const CHECKPOINTING_UNALIGNED: ConfigOption<boolean> = configOption.boolean(
  "execution.checkpointing.unaligned.enabled", false, "Whether barriers overtake records, which become part of the checkpoint.");
export const CHECKPOINTING_ALIGNED_TIMEOUT: ConfigOption<number> = configOption.duration(
  "execution.checkpointing.aligned-checkpoint-timeout", 0, "With unaligned checkpoints: how long a checkpoint stays aligned before barriers overtake; 0 overtakes at once.");
export const CHECKPOINTING_AFTER_TASKS_FINISH: ConfigOption<boolean> = configOption.boolean(
  "execution.checkpointing.checkpoints-after-tasks-finish", true, "Whether checkpoints go on after some tasks have finished.");
export const SAVEPOINT_DIRECTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "execution.checkpointing.savepoint-dir", undefined, "Directory for savepoints whose command names none.");
export const CLAIM_MODE: ConfigOption<"NO_CLAIM" | "CLAIM"> = configOption.oneOf(["NO_CLAIM", "CLAIM"])(
  "execution.state-recovery.claim-mode", "NO_CLAIM", "Who owns the snapshot a job starts from: with CLAIM the job, which deletes it when it is subsumed.");

/** Every option above. */
export const checkpointingOptions: readonly ConfigOption<any>[] = [
  CHECKPOINTING_INTERVAL_DURING_BACKLOG, CHECKPOINTING_MAX_CONCURRENT, CHECKPOINTING_UNALIGNED, CHECKPOINTING_ALIGNED_TIMEOUT,
  CHECKPOINTING_AFTER_TASKS_FINISH, SAVEPOINT_DIRECTORY, CLAIM_MODE,
];
