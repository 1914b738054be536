import { array, boolean, either, nullable, number, object, oneOf, optional, record, text, type Infer } from "./schema.js";

/** Flink's answers about checkpoints, key by key. Percentiles nobody can tell are "NaN", as Flink writes them. */
const figure = either(number, text);
export const summary = object({ min: number, max: number, avg: number, p50: figure, p90: figure, p95: figure, p99: figure, p999: figure });
export type FigureSummary = Infer<typeof summary>;

const totals = {
  latest_ack_timestamp: number, checkpointed_size: number, state_size: number, end_to_end_duration: number, alignment_buffered: number, processed_data: number,
  persisted_data: number, num_subtasks: number, num_acknowledged_subtasks: number,
};
export const checkpointStatus = oneOf("IN_PROGRESS", "COMPLETED", "FAILED");
const task = object({ id: number, status: checkpointStatus, ...totals });

export const checkpoint = object({
  className: oneOf("completed", "failed", "in_progress"), id: number, status: checkpointStatus, is_savepoint: boolean, savepointFormat: nullable(text), trigger_timestamp: number,
  ...totals, checkpoint_type: oneOf("CHECKPOINT", "UNALIGNED_CHECKPOINT", "SAVEPOINT", "SYNC_SAVEPOINT"), tasks: record(task),
  external_path: optional(nullable(text)), discarded: optional(boolean), failure_timestamp: optional(number), failure_message: optional(nullable(text)),
});
export type CheckpointAnswer = Infer<typeof checkpoint>;

export const checkpoints = object({
  counts: object({ restored: number, total: number, in_progress: number, completed: number, failed: number }),
  summary: object({
    checkpointed_size: summary, state_size: summary, end_to_end_duration: summary, alignment_buffered: summary, processed_data: summary, persisted_data: summary,
  }),
  latest: object({
    completed: nullable(checkpoint), savepoint: nullable(checkpoint), failed: nullable(checkpoint),
    restored: nullable(object({ id: number, restore_timestamp: number, is_savepoint: boolean, external_path: nullable(text) })),
  }),
  history: array(checkpoint),
});

export const checkpointConfig = object({
  mode: oneOf("exactly_once", "at_least_once"), interval: number, timeout: number, min_pause: number, max_concurrent: number,
  externalization: object({ enabled: boolean, delete_on_cancellation: boolean }), state_backend: text, checkpoint_storage: text, unaligned_checkpoints: boolean,
  tolerable_failed_checkpoints: number, aligned_checkpoint_timeout: number, checkpoints_after_tasks_finish: boolean, state_changelog_enabled: boolean,
  changelog_periodic_materialization_interval: number, changelog_storage: text,
});

const completedSubtask = {
  ack_timestamp: optional(number), end_to_end_duration: optional(number), checkpointed_size: optional(number), state_size: optional(number),
  checkpoint: optional(object({ sync: number, async: number })),
  alignment: optional(object({ buffered: number, processed: number, persisted: number, duration: number })),
  start_delay: optional(number), unaligned_checkpoint: optional(boolean), aborted: optional(boolean),
};
export const checkpointSubtasks = object({
  id: number, status: checkpointStatus, ...totals,
  summary: object({
    checkpointed_size: summary, state_size: summary, end_to_end_duration: summary, checkpoint_duration: object({ sync: summary, async: summary }),
    alignment: object({ buffered: summary, processed: summary, persisted: summary, duration: summary }), start_delay: summary,
  }),
  subtasks: array(object({ className: oneOf("completed", "pending"), index: number, status: text, ...completedSubtask })),
});
