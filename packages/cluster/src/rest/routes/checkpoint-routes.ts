import {
  CHECKPOINTING_ALIGNED_TIMEOUT, CHECKPOINTING_INTERVAL, CHECKPOINTING_MAX_CONCURRENT, CHECKPOINTING_MIN_PAUSE, CHECKPOINTING_MODE, CHECKPOINTING_RETENTION, CHECKPOINTING_TIMEOUT, CHECKPOINTING_TOLERABLE_FAILURES, CHECKPOINTING_DIRECTORY,
  CHECKPOINTING_UNALIGNED,
  Configuration, allOptions,
} from "@millrace/core";
import { sumOver, type CheckpointStatistics, type CheckpointsView, type SubtaskCheckpointStatistics } from "../../checkpoint/checkpoint-statistics.js";
import { RestError } from "../http/rest-error.js";
import { route, type RestRequest, type Route } from "../http/route.js";
import { checkpoint, checkpointConfig, checkpointSubtasks, checkpoints, type CheckpointAnswer } from "../schema/checkpoint-answers.js";
import type { Infer } from "../schema/schema.js";
import { figureSummary } from "./figures.js";

const base = "/jobs/:jobid/checkpoints";
/** What Flink answers for an interval that is not set. */
const NO_INTERVAL = Number.MAX_SAFE_INTEGER;

export const checkpointRoutes: readonly Route[] = [
  route({
    method: "GET", path: base, summary: "Counts, summary and history of checkpoints.", role: "viewer", response: checkpoints,
    handle: async ({ gateway, params }) => overview((await gateway.job(params["jobid"]!)).checkpoints),
  }),
  route({
    method: "GET", path: `${base}/config`, summary: "How a job takes checkpoints.", role: "viewer", response: checkpointConfig,
    handle: async ({ gateway, params }) => {
      const { jobGraph } = await gateway.job(params["jobid"]!);
      const config = Configuration.of(jobGraph.config, allOptions);
      const retention = config.get(CHECKPOINTING_RETENTION);
      const interval = config.get(CHECKPOINTING_INTERVAL);
      return {
        mode: config.get(CHECKPOINTING_MODE) === "EXACTLY_ONCE" ? ("exactly_once" as const) : ("at_least_once" as const),
        interval: interval ?? NO_INTERVAL, timeout: config.get(CHECKPOINTING_TIMEOUT), min_pause: config.get(CHECKPOINTING_MIN_PAUSE), max_concurrent: config.get(CHECKPOINTING_MAX_CONCURRENT),
        externalization: { enabled: retention !== "NO_EXTERNALIZED_CHECKPOINTS", delete_on_cancellation: retention !== "RETAIN_ON_CANCELLATION" },
        state_backend: "HashMapStateBackend", checkpoint_storage: config.has(CHECKPOINTING_DIRECTORY) ? "FileSystemCheckpointStorage" : "TemporaryCheckpointStorage",
        unaligned_checkpoints: config.get(CHECKPOINTING_UNALIGNED), tolerable_failed_checkpoints: config.get(CHECKPOINTING_TOLERABLE_FAILURES), aligned_checkpoint_timeout: config.get(CHECKPOINTING_ALIGNED_TIMEOUT),
        checkpoints_after_tasks_finish: true, state_changelog_enabled: false, changelog_periodic_materialization_interval: 0, changelog_storage: "none",
      };
    },
  }),
  route({
    method: "GET", path: `${base}/details/:checkpointid`, summary: "One checkpoint with its vertices.", role: "viewer", response: checkpoint,
    handle: async (request) => answerOf(await find(request), true),
  }),
  route({
    method: "GET", path: `${base}/details/:checkpointid/subtasks/:vertexid`, summary: "One checkpoint of one vertex, subtask by subtask.", role: "viewer", response: checkpointSubtasks,
    handle: async (request) => {
      const found = await find(request);
      const task = found.tasks.find(({ vertexId }) => vertexId === request.params["vertexid"]);
      if (task === undefined) throw new RestError(404, `There is no checkpoint statistics for task ${request.params["vertexid"]}.`);
      return subtasksAnswer(found, task);
    },
  }),
];

async function find({ gateway, params }: RestRequest): Promise<CheckpointStatistics> {
  const { history, latest } = (await gateway.job(params["jobid"]!)).checkpoints;
  const id = Number(params["checkpointid"]);
  const found = [...history, latest.completed, latest.savepoint, latest.failed].find((candidate) => candidate?.checkpointId === id);
  if (found === undefined) throw new RestError(404, `Could not find checkpointing statistics for checkpoint ${params["checkpointid"]}.`);
  return found;
}

function overview({ counts, history, latest, completed }: CheckpointsView): Infer<typeof checkpoints> {
  const sizes = figureSummary(completed.map(({ stateBytes }) => stateBytes));
  const zeros = figureSummary(completed.map(() => 0));
  const { restored } = latest;
  const some = (statistics: CheckpointStatistics | undefined): CheckpointAnswer | null => (statistics === undefined ? null : answerOf(statistics, false));
  return {
    counts: { restored: counts.restored, total: counts.total, in_progress: counts.inProgress, completed: counts.completed, failed: counts.failed },
    summary: {
      checkpointed_size: sizes, state_size: sizes, end_to_end_duration: figureSummary(completed.map(({ durationMs }) => durationMs)), alignment_buffered: zeros,
      processed_data: figureSummary(completed.map(({ processedBytes }) => processedBytes)), persisted_data: figureSummary(completed.map(({ persistedBytes }) => persistedBytes)),
    },
    latest: {
      completed: some(latest.completed), savepoint: some(latest.savepoint), failed: some(latest.failed),
      restored: restored === undefined ? null : { id: restored.checkpointId, restore_timestamp: restored.restoredMs, is_savepoint: restored.isSavepoint, external_path: restored.path },
    },
    history: history.map((statistics) => answerOf(statistics, false)),
  };
}

function totals(checkpointOf: CheckpointStatistics, tasks: CheckpointStatistics["tasks"]): {
  latest_ack_timestamp: number; checkpointed_size: number; state_size: number; end_to_end_duration: number; alignment_buffered: number; processed_data: number;
  persisted_data: number; num_subtasks: number; num_acknowledged_subtasks: number;
} {
  const acknowledged = tasks.flatMap((task) => task.acknowledged);
  const latest = acknowledged.length === 0 ? -1 : Math.max(...acknowledged.map(({ acknowledgedMs }) => acknowledgedMs));
  const bytes = sumOver(tasks, "stateBytes");
  const endMs = latest < 0 ? checkpointOf.triggeredMs : latest;
  return {
    latest_ack_timestamp: latest, checkpointed_size: bytes, state_size: bytes, end_to_end_duration: Math.max(0, endMs - checkpointOf.triggeredMs), alignment_buffered: 0,
    processed_data: sumOver(tasks, "processedBytes"), persisted_data: sumOver(tasks, "persistedBytes"), num_subtasks: tasks.reduce((sum, { subtasks }) => sum + subtasks, 0), num_acknowledged_subtasks: acknowledged.length,
  };
}

const classNames = { COMPLETED: "completed", FAILED: "failed", IN_PROGRESS: "in_progress" } as const;

function answerOf(statistics: CheckpointStatistics, withTasks: boolean): CheckpointAnswer {
  const { checkpointId: id, status, isSavepoint } = statistics;
  const isUnaligned = statistics.tasks.some(({ acknowledged }) => acknowledged.some(({ unaligned }) => unaligned));
  return {
    className: classNames[status], id, status, is_savepoint: isSavepoint, savepointFormat: isSavepoint ? "CANONICAL" : null, trigger_timestamp: statistics.triggeredMs,
    ...totals(statistics, statistics.tasks), checkpoint_type: isSavepoint ? "SAVEPOINT" : isUnaligned ? "UNALIGNED_CHECKPOINT" : "CHECKPOINT",
    tasks: withTasks ? Object.fromEntries(statistics.tasks.map((task) => [task.vertexId, { id, status, ...totals(statistics, [task]) }])) : {},
    ...(status === "COMPLETED" ? { external_path: statistics.path ?? null, discarded: statistics.discarded } : {}),
    ...(status === "FAILED" ? { failure_timestamp: statistics.endedMs ?? 0, failure_message: statistics.failure ?? null } : {}),
  };
}

function subtasksAnswer(statistics: CheckpointStatistics, task: CheckpointStatistics["tasks"][number]): Infer<typeof checkpointSubtasks> {
  const { acknowledged } = task;
  const of = (pick: (subtask: SubtaskCheckpointStatistics) => number): ReturnType<typeof figureSummary> => figureSummary(acknowledged.map((subtask) => Math.round(pick(subtask))));
  const zeros = of(() => 0);
  const byIndex = new Map(acknowledged.map((subtask) => [subtask.subtaskIndex, subtask]));
  const subtasks = Math.max(task.subtasks, ...acknowledged.map(({ subtaskIndex }) => subtaskIndex + 1));
  return {
    id: statistics.checkpointId, status: statistics.status, ...totals(statistics, [task]),
    summary: {
      checkpointed_size: of(({ stateBytes }) => stateBytes), state_size: of(({ stateBytes }) => stateBytes),
      end_to_end_duration: of(({ acknowledgedMs }) => acknowledgedMs - statistics.triggeredMs),
      checkpoint_duration: { sync: of(({ syncDurationMs }) => syncDurationMs), async: of(({ asyncDurationMs }) => asyncDurationMs) },
      alignment: { buffered: zeros, processed: of(({ processedBytes }) => processedBytes), persisted: of(({ persistedBytes }) => persistedBytes), duration: of(({ alignmentDurationMs }) => alignmentDurationMs) },
      start_delay: of(({ startDelayMs }) => startDelayMs),
    },
    subtasks: Array.from({ length: subtasks }, (_, index) => {
      const subtask = byIndex.get(index);
      if (subtask === undefined) return { className: "pending" as const, index, status: "pending_or_failed" };
      return {
        className: "completed" as const, index, status: "completed", ack_timestamp: subtask.acknowledgedMs,
        end_to_end_duration: Math.max(0, subtask.acknowledgedMs - statistics.triggeredMs), checkpointed_size: subtask.stateBytes, state_size: subtask.stateBytes,
        checkpoint: { sync: Math.round(subtask.syncDurationMs), async: Math.round(subtask.asyncDurationMs) },
        alignment: { buffered: 0, processed: subtask.processedBytes, persisted: subtask.persistedBytes, duration: Math.round(subtask.alignmentDurationMs) },
        start_delay: Math.round(subtask.startDelayMs), unaligned_checkpoint: subtask.unaligned, aborted: false,
      };
    }),
  };
}
