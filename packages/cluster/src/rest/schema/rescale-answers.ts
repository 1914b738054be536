import { array, nullable, number, object, oneOf, record, text, type Infer } from "./schema.js";
import { summary } from "./checkpoint-answers.js";
import { resource } from "./cluster-answers.js";

/** Flink's answers about rescales (FLIP-495), key by key. */
const counts = object({ ignored: number, inProgress: number, completed: number, failed: number });

const vertex = object({
  jobVertexId: text, jobVertexName: text, slotSharingGroupId: text, slotSharingGroupName: text, desiredParallelism: number, sufficientParallelism: number,
  preRescaleParallelism: nullable(number), postRescaleParallelism: nullable(number),
});
const slots = object({
  slotSharingGroupId: text, slotSharingGroupName: text, requestResourceProfile: resource, desiredSlots: number, minimalRequiredSlots: number,
  preRescaleSlots: nullable(number), postRescaleSlots: nullable(number), acquiredResourceProfile: nullable(resource),
});
const state = object({ state: text, enterTimestampInMillis: number, leaveTimestampInMillis: number, durationInMillis: number, stringifiedException: nullable(text) });

export const rescale = object({
  rescaleUuid: text, resourceRequirementsUuid: text, rescaleAttemptId: number, vertices: record(vertex), slots: record(slots), schedulerStates: array(state),
  startTimestampInMillis: number, endTimestampInMillis: nullable(number), terminalState: nullable(oneOf("COMPLETED", "FAILED", "IGNORED")),
  triggerCause: oneOf("INITIAL_SCHEDULE", "UPDATE_REQUIREMENT", "NEW_RESOURCE_AVAILABLE", "RECOVERABLE_FAILOVER"),
  terminatedReason: nullable(oneOf(
    "SUCCEEDED", "EXCEPTION_OCCURRED", "RESOURCE_REQUIREMENTS_UPDATED", "NO_RESOURCES_OR_PARALLELISMS_CHANGE", "JOB_FINISHED", "JOB_FAILED", "JOB_CANCELED")),
});
export type RescaleAnswer = Infer<typeof rescale>;

export const rescaleHistory = array(rescale);
export const rescaleOverview = object({ rescalesCounts: counts, latest: object({ completed: nullable(rescale), failed: nullable(rescale), ignored: nullable(rescale) }) });
export const rescaleSummary = object({
  rescalesCounts: counts, rescalesDurationStatsInMillis: summary, completedRescalesDurationStatsInMillis: summary, ignoredRescalesDurationStatsInMillis: summary,
  failedRescalesDurationStatsInMillis: summary,
});
export const rescaleConfig = object({
  rescaleHistoryMax: number, schedulerExecutionMode: nullable(oneOf("REACTIVE")), submissionResourceWaitTimeoutInMillis: number,
  submissionResourceStabilizationTimeoutInMillis: number, slotIdleTimeoutInMillis: number, executingCooldownTimeoutInMillis: number,
  executingResourceStabilizationTimeoutInMillis: number, maximumDelayForTriggeringRescaleInMillis: number, rescaleOnFailedCheckpointCount: number,
});
