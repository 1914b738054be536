import { configOption, type ConfigOption } from "./config-option.js";
import { debloatOptions } from "./debloat-options.js";
import { restOptions } from "./rest-options.js";
import { savepointOptions } from "./savepoint-options.js";
import { schedulerOptions } from "./scheduler-options.js";

/** All options of the engine, under Flink's keys where Flink has them. */
export const RUNTIME_MODE: ConfigOption<"STREAMING" | "BATCH" | "AUTOMATIC"> = configOption.oneOf(["STREAMING", "BATCH", "AUTOMATIC"])(
  "execution.runtime-mode", "STREAMING", "Whether results are updated as records come, or each once at the end of bounded input.");
export const PARALLELISM: ConfigOption<number> = configOption.integer("parallelism.default", 1, "Parallelism of operators that set none.");
export const MAX_PARALLELISM: ConfigOption<number> = configOption.integer(
  "pipeline.max-parallelism", -1, "Number of key groups, the upper bound of rescaling; -1 derives it from the parallelism by Flink's rule.");
export const JOB_NAME: ConfigOption<string> = configOption.string("pipeline.name", "Millrace job", "Name of the job.");
export const OPERATOR_CHAINING: ConfigOption<boolean> = configOption.boolean("pipeline.operator-chaining.enabled", true, "Whether operators connected one to one run as one task.");
export const CHAIN_COMPILER: ConfigOption<boolean> = configOption.boolean(
  "pipeline.chain-compiler.enabled", true, "Whether operator chains become generated code; off runs the reference path.");
export const AUTO_WATERMARK_INTERVAL: ConfigOption<number> = configOption.duration(
  "pipeline.auto-watermark-interval", 200, "How often periodic watermarks are generated.");
export const FREEZE_RECORDS: ConfigOption<boolean> = configOption.boolean(
  "pipeline.freeze-records", false, "Freezes records once they are emitted, so that changing one later throws at the place that does it.");
export const COMBINE_WINDOWS: ConfigOption<boolean | undefined> = configOption.optionalBoolean(
  "pipeline.combine-windows.enabled", undefined,
  "Whether records of a keyed event-time window are added up before they are sent, where its function merges. Not set: when several subtasks send, and some of what they send leaves their process.");
export const BUFFER_TIMEOUT: ConfigOption<number> = configOption.duration(
  "execution.buffer-timeout.interval", 100, "The longest a record waits in a buffer of a busy task; an idle task flushes at once. 0 flushes after every record.");
export const BATCH_SIZE: ConfigOption<number> = configOption.integer("taskmanager.network.batch-size", 1024, "The most records in one buffer.");
export const CHANNEL_CREDITS: ConfigOption<number> = configOption.integer(
  "taskmanager.network.memory.buffers-per-channel", 8, "Buffers on the way per channel before its sender waits.");
export const BATCH_EXCHANGE_MEMORY: ConfigOption<number> = configOption.memorySize(
  "taskmanager.memory.batch-exchange.size", 256 * 1024 ** 2, "How much of what batch jobs exchange a slot keeps in memory; the rest waits in temporary files.");
export const TMP_DIRS: ConfigOption<string | undefined> = configOption.optionalString(
  "io.tmp.dirs", undefined, "Directory of temporary files; not set means the system's.");
export const EXTERNAL_PACKAGES: ConfigOption<string> = configOption.string(
  "pipeline.external-packages", "", "Packages, separated by commas, that are not sent to a cluster with the job: they have to be at the same place on every TaskManager's machine.");
export const SLOT_ISOLATION: ConfigOption<"inline" | "thread" | "process"> = configOption.oneOf(["inline", "thread", "process"])(
  "slot.isolation", "inline", "Where slots run: in the caller's thread, each in a worker thread of its own, or each in a process of its own. A TaskManager's slots are threads unless it or the job says `process`.");
export const COLLECT_WINDOW: ConfigOption<number> = configOption.memorySize(
  "collect-sink.batch-size.max", 2 * 1024 * 1024, "The most that a sink subtask has on its way to the program (collected records, printed lines); then it waits until the program has taken some.");
export const HELD_RESULTS_MEMORY: ConfigOption<number> = configOption.memorySize(
  "jobmanager.memory.held-results.size", 64 * 1024 * 1024, "How much of what a job collects its JobMaster keeps in memory, until a checkpoint covers it and the program takes it; the rest waits in temporary files.");
export const HELD_RESULTS_TOTAL_MEMORY: ConfigOption<number> = configOption.memorySize(
  "jobmanager.memory.held-results.total-size", 256 * 1024 * 1024, "How much of what its jobs collect a JobManager keeps in memory, for all jobs together; the rest waits in temporary files. Of the JobManager's configuration only.");
export const HELD_RESULTS_FILES: ConfigOption<number> = configOption.memorySize(
  "jobmanager.disk.held-results.total-size", 10 * 1024 ** 3, "How much of what its jobs collect a JobManager keeps in temporary files, for all jobs together; the job that asks for more fails. Of the JobManager's configuration only.");
export const SLOT_HEAP: ConfigOption<number> = configOption.memorySize(
  "taskmanager.memory.task.heap.size", 4 * 1024 ** 3, "Heap limit of a slot's worker thread or process.");

export const CHECKPOINTING_INTERVAL: ConfigOption<number | undefined> = configOption.optionalDuration(
  "execution.checkpointing.interval", undefined, "Time between checkpoints; not set means none.");
export const CHECKPOINTING_MODE: ConfigOption<"EXACTLY_ONCE" | "AT_LEAST_ONCE"> = configOption.oneOf(["EXACTLY_ONCE", "AT_LEAST_ONCE"])(
  "execution.checkpointing.mode", "EXACTLY_ONCE", "What a checkpoint promises; AT_LEAST_ONCE is served by exactly-once checkpoints too.");
export const CHECKPOINTING_MIN_PAUSE: ConfigOption<number> = configOption.duration(
  "execution.checkpointing.min-pause", 0, "The least time between the end of one checkpoint and the start of the next.");
export const CHECKPOINTING_TIMEOUT: ConfigOption<number> = configOption.duration(
  "execution.checkpointing.timeout", 600_000, "A checkpoint that takes longer is aborted.");
export const CHECKPOINTING_TOLERABLE_FAILURES: ConfigOption<number> = configOption.integer(
  "execution.checkpointing.tolerable-failed-checkpoints", 0, "Consecutive checkpoint failures before the job restarts.");
export const CHECKPOINTING_DIRECTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "execution.checkpointing.dir", undefined, "Directory for checkpoints; not set keeps them in a temporary one that goes with the job.");
export const CHECKPOINTING_RETAINED: ConfigOption<number> = configOption.integer(
  "execution.checkpointing.num-retained", 1, "Completed checkpoints that are kept.");
export const CHECKPOINTING_INCREMENTAL: ConfigOption<boolean> = configOption.boolean(
  "execution.checkpointing.incremental", true, "Whether a checkpoint of much keyed state writes what changed and refers to older checkpoints' files for the rest.");
export const CHECKPOINTING_UNALIGNED: ConfigOption<boolean> = configOption.boolean(
  "execution.checkpointing.unaligned.enabled", false, "Whether barriers overtake the records between tasks, which then are part of the checkpoint.");
export const CHECKPOINTING_UNALIGNED_FORCED: ConfigOption<boolean> = configOption.boolean(
  "execution.checkpointing.unaligned.forced", false, "Lets barriers overtake records on forward, rescale and broadcast exchanges, too; such a checkpoint restores at the same parallelism only.");
export const CHECKPOINTING_ALIGNED_TIMEOUT: ConfigOption<number> = configOption.duration(
  "execution.checkpointing.aligned-checkpoint-timeout", 0, "How long an unaligned checkpoint tries to be an aligned one first, from its start; 0 does not try.");
export const CHECKPOINTING_RETENTION: ConfigOption<"NO_EXTERNALIZED_CHECKPOINTS" | "DELETE_ON_CANCELLATION" | "RETAIN_ON_CANCELLATION"> = configOption.oneOf(
  ["NO_EXTERNALIZED_CHECKPOINTS", "DELETE_ON_CANCELLATION", "RETAIN_ON_CANCELLATION"])(
  "execution.checkpointing.externalized-checkpoint-retention", "NO_EXTERNALIZED_CHECKPOINTS", "What happens to the last checkpoint when the job ends.");

export const RESTART_STRATEGY: ConfigOption<"exponential-delay" | "fixed-delay" | "failure-rate" | "none"> = configOption.oneOf(
  ["exponential-delay", "fixed-delay", "failure-rate", "none"])(
  "restart-strategy.type", "exponential-delay", "How often and when a failed job is restarted; without checkpointing the default is none.");
export const FIXED_DELAY_ATTEMPTS: ConfigOption<number> = configOption.integer("restart-strategy.fixed-delay.attempts", 1, "Restarts before the job fails.");
export const FIXED_DELAY_DELAY: ConfigOption<number> = configOption.duration("restart-strategy.fixed-delay.delay", 1000, "Pause before a restart.");
export const EXPONENTIAL_INITIAL: ConfigOption<number> = configOption.duration("restart-strategy.exponential-delay.initial-backoff", 1000, "Pause before the first restart.");
export const EXPONENTIAL_MAX: ConfigOption<number> = configOption.duration("restart-strategy.exponential-delay.max-backoff", 60_000, "The longest pause.");
export const EXPONENTIAL_MULTIPLIER: ConfigOption<number> = configOption.double("restart-strategy.exponential-delay.backoff-multiplier", 1.5, "Growth of the pause.");
export const EXPONENTIAL_RESET: ConfigOption<number> = configOption.duration("restart-strategy.exponential-delay.reset-backoff-threshold", 3_600_000, "Time without failure after which the pause starts anew.");
export const EXPONENTIAL_JITTER: ConfigOption<number> = configOption.double("restart-strategy.exponential-delay.jitter-factor", 0.1, "Random share of the pause, up or down.");
export const EXPONENTIAL_ATTEMPTS: ConfigOption<number> = configOption.integer("restart-strategy.exponential-delay.attempts-before-reset-backoff", -1, "Restarts before the job fails; -1 is without end.");
export const FAILURE_RATE_MAX: ConfigOption<number> = configOption.integer("restart-strategy.failure-rate.max-failures-per-interval", 1, "Failures within the interval before the job fails.");
export const FAILURE_RATE_INTERVAL: ConfigOption<number> = configOption.duration("restart-strategy.failure-rate.failure-rate-interval", 60_000, "The interval failures are counted in.");
export const FAILURE_RATE_DELAY: ConfigOption<number> = configOption.duration("restart-strategy.failure-rate.delay", 1000, "Pause before a restart.");
export const TASK_CANCELLATION_TIMEOUT: ConfigOption<number> = configOption.duration(
  "task.cancellation.timeout", 5000, "How long a cancelled task may take to stop before its worker is terminated.");
export const COMMITTER_RETRIES: ConfigOption<number> = configOption.integer("sink.committer.retries", 10, "Tries of a commit before the job fails.");
export const METRICS_LATENCY_INTERVAL: ConfigOption<number> = configOption.duration("metrics.latency.interval", 0, "Time between latency markers from sources; 0 switches them off.");
export const METRICS_LATENCY_GRANULARITY: ConfigOption<"SINGLE" | "OPERATOR" | "SUBTASK"> = configOption.oneOf(["SINGLE", "OPERATOR", "SUBTASK"])(
  "metrics.latency.granularity", "OPERATOR", "What has a latency histogram of its own in every operator: all sources together, each source, or each subtask of each source.");

/** Every option above, for validation and documentation. */
export const allOptions: readonly ConfigOption<any>[] = [
  RUNTIME_MODE, PARALLELISM, MAX_PARALLELISM, JOB_NAME, OPERATOR_CHAINING, CHAIN_COMPILER, AUTO_WATERMARK_INTERVAL, FREEZE_RECORDS,
  COMBINE_WINDOWS, BUFFER_TIMEOUT, BATCH_SIZE, CHANNEL_CREDITS, BATCH_EXCHANGE_MEMORY, COLLECT_WINDOW, HELD_RESULTS_MEMORY, HELD_RESULTS_TOTAL_MEMORY, HELD_RESULTS_FILES, TMP_DIRS, EXTERNAL_PACKAGES, SLOT_ISOLATION, SLOT_HEAP,
  CHECKPOINTING_INTERVAL, CHECKPOINTING_MODE, CHECKPOINTING_MIN_PAUSE, CHECKPOINTING_TIMEOUT, CHECKPOINTING_TOLERABLE_FAILURES, CHECKPOINTING_DIRECTORY,
  CHECKPOINTING_RETAINED, CHECKPOINTING_INCREMENTAL, CHECKPOINTING_UNALIGNED, CHECKPOINTING_UNALIGNED_FORCED, CHECKPOINTING_ALIGNED_TIMEOUT, CHECKPOINTING_RETENTION, ...savepointOptions,
  RESTART_STRATEGY, FIXED_DELAY_ATTEMPTS, FIXED_DELAY_DELAY, EXPONENTIAL_INITIAL, EXPONENTIAL_MAX, EXPONENTIAL_MULTIPLIER, EXPONENTIAL_RESET,
  EXPONENTIAL_JITTER, EXPONENTIAL_ATTEMPTS, FAILURE_RATE_MAX, FAILURE_RATE_INTERVAL, FAILURE_RATE_DELAY, TASK_CANCELLATION_TIMEOUT,
  COMMITTER_RETRIES, METRICS_LATENCY_INTERVAL, METRICS_LATENCY_GRANULARITY, ...schedulerOptions, ...restOptions, ...debloatOptions,
];
