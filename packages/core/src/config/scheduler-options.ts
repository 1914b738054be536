import { configOption, type ConfigOption } from "./config-option.js";

/** How jobs are scheduled. Flink's names and defaults, unless the text says otherwise. */

export const SCHEDULER: ConfigOption<"default" | "adaptive"> = configOption.oneOf(["default", "adaptive"])(
  "jobmanager.scheduler", "default", "`adaptive` fits a streaming job's parallelism to the slots there are. Batch jobs always have the default one.");
export const SCHEDULER_MODE: ConfigOption<"none" | "reactive"> = configOption.oneOf(["none", "reactive"])(
  "scheduler-mode", "none", "`reactive` takes every slot that there is, up to the max parallelism, with the adaptive scheduler.");
export const FAILOVER_STRATEGY: ConfigOption<"region" | "full"> = configOption.oneOf(["region", "full"])(
  "jobmanager.execution.failover-strategy", "full", "What restarts when a task fails: all of the job, or what exchanges records with it (`region`); then each region has threads of its own.");
export const ADAPTIVE_WAIT_TIMEOUT: ConfigOption<number> = configOption.duration(
  "jobmanager.adaptive-scheduler.submission.resource-wait-timeout", 300_000, "How long a job may wait for the least slots it can run with before it fails; in reactive mode without end unless set.");
export const ADAPTIVE_SUBMISSION_STABILIZATION: ConfigOption<number> = configOption.duration(
  "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout", 10_000, "How long a job that could start waits for the slots that it would rather have; in reactive mode 0 unless set.");
export const ADAPTIVE_COOLDOWN: ConfigOption<number> = configOption.duration(
  "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling", 30_000, "The least time between two rescales of a job that runs.");
export const ADAPTIVE_EXECUTING_STABILIZATION: ConfigOption<number> = configOption.duration(
  "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout", 60_000, "How long a job that could run wider waits for the rest of the slots that it would rather have; in reactive mode 0 unless set.");
export const ADAPTIVE_ACTIVE_CHECKPOINT: ConfigOption<boolean> = configOption.boolean(
  "jobmanager.adaptive-scheduler.rescale-trigger.active-checkpoint.enabled", true, "Whether a checkpoint is taken for a rescale at once, rather than the next regular one waited for (Flink's default).");
export const ADAPTIVE_MAX_CHECKPOINT_FAILURES: ConfigOption<number> = configOption.integer(
  "jobmanager.adaptive-scheduler.rescale-trigger.max-checkpoint-failures", 2, "After as many failed checkpoints a job rescales from an older one.");
export const ADAPTIVE_MAX_DELAY: ConfigOption<number | undefined> = configOption.optionalDuration(
  "jobmanager.adaptive-scheduler.rescale-trigger.max-delay", undefined,
  "How long a rescale waits for a checkpoint at most; by default as long as all the checkpoints that may fail take, or as one that is taken for it may take.");
export const RESCALE_HISTORY_SIZE: ConfigOption<number> = configOption.integer(
  "web.adaptive-scheduler.rescale-history.size", 10, "Rescales that a job with the adaptive scheduler remembers, to be looked at through REST; 0 remembers none (Flink's default).");

export const schedulerOptions: readonly ConfigOption<any>[] = [
  SCHEDULER, SCHEDULER_MODE, FAILOVER_STRATEGY, ADAPTIVE_WAIT_TIMEOUT, ADAPTIVE_SUBMISSION_STABILIZATION, ADAPTIVE_COOLDOWN, ADAPTIVE_EXECUTING_STABILIZATION,
  ADAPTIVE_ACTIVE_CHECKPOINT, ADAPTIVE_MAX_CHECKPOINT_FAILURES, ADAPTIVE_MAX_DELAY, RESCALE_HISTORY_SIZE,
];
