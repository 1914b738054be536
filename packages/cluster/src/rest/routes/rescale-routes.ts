import { RESCALE_HISTORY_SIZE, SCHEDULER } from "@millrace/core";
import type { RescalingView } from "../../scheduler/adaptive-scheduler.js";
import type { RescaleRecord, RescalesView } from "../../scheduler/rescale-timeline.js";
import { RestError } from "../http/rest-error.js";
import { route, type RestRequest, type Route } from "../http/route.js";
import { rescale, rescaleConfig, rescaleHistory, rescaleOverview, rescaleSummary, type RescaleAnswer } from "../schema/rescale-answers.js";
import { figureSummary } from "./figures.js";

const base = "/jobs/:jobid/rescales";
/** Slots are not asked for by what they have: Flink's ResourceProfile.UNKNOWN, in numbers. */
const ANY_SLOT = { cpuCores: 0, taskHeapMemory: 0, taskOffHeapMemory: 0, managedMemory: 0, networkMemory: 0, extendedResources: {} };

export const rescaleRoutes: readonly Route[] = [
  route({
    method: "GET", path: `${base}/config`, summary: "When and how a job with the adaptive scheduler rescales.", role: "viewer", response: rescaleConfig,
    handle: async (request) => {
      const { isReactive, maxHistory, maxCheckpointFailures, ...times } = await rescalingOf(request);
      return {
        rescaleHistoryMax: maxHistory, schedulerExecutionMode: isReactive ? ("REACTIVE" as const) : null,
        submissionResourceWaitTimeoutInMillis: times.resourceWaitTimeoutMs ?? -1, submissionResourceStabilizationTimeoutInMillis: times.submissionStabilizationMs,
        // A slot that no task uses is given back at once.
        slotIdleTimeoutInMillis: 0,
        executingCooldownTimeoutInMillis: times.cooldownMs, executingResourceStabilizationTimeoutInMillis: times.executingStabilizationMs,
        maximumDelayForTriggeringRescaleInMillis: times.maxTriggerDelayMs, rescaleOnFailedCheckpointCount: maxCheckpointFailures,
      };
    },
  }),
  route({
    method: "GET", path: `${base}/details/:rescaleuuid`, summary: "One rescale: its vertices and slots, before and after, and the states that the scheduler went through.", role: "viewer", response: rescale,
    handle: async (request) => {
      const { history, latest } = await rescalesOf(request);
      const found = [...history, latest.COMPLETED, latest.FAILED, latest.IGNORED].find((record) => record?.rescaleId === request.params["rescaleuuid"]);
      if (found === undefined) throw new RestError(404, `Could not find rescale details of specified rescaleUuid ${request.params["rescaleuuid"]}.`);
      return answerOf(found, true);
    },
  }),
  route({
    method: "GET", path: `${base}/history`, summary: "The last rescales of a job, newest first, without their details.", role: "viewer", response: rescaleHistory,
    handle: async (request) => (await rescalesOf(request)).history.map((record) => answerOf(record, false)),
  }),
  route({
    method: "GET", path: `${base}/overview`, summary: "Counts of a job's rescales, and the last one that was completed, failed or ignored.", role: "viewer", response: rescaleOverview,
    handle: async (request) => {
      const rescales = await rescalesOf(request);
      const some = (record: RescaleRecord | undefined): RescaleAnswer | null => (record === undefined ? null : answerOf(record, false));
      const { COMPLETED, FAILED, IGNORED } = rescales.latest;
      return { rescalesCounts: countsOf(rescales), latest: { completed: some(COMPLETED), failed: some(FAILED), ignored: some(IGNORED) } };
    },
  }),
  route({
    method: "GET", path: `${base}/summary`, summary: "Counts of a job's rescales, and how long they took.", role: "viewer", response: rescaleSummary,
    handle: async (request) => {
      const rescales = await rescalesOf(request);
      const { COMPLETED, FAILED, IGNORED } = rescales.durationsMs;
      return {
        rescalesCounts: countsOf(rescales), rescalesDurationStatsInMillis: figureSummary([...COMPLETED, ...IGNORED, ...FAILED]),
        completedRescalesDurationStatsInMillis: figureSummary(COMPLETED), ignoredRescalesDurationStatsInMillis: figureSummary(IGNORED), failedRescalesDurationStatsInMillis: figureSummary(FAILED),
      };
    },
  }),
];

async function rescalingOf({ gateway, params }: RestRequest): Promise<RescalingView> {
  const { rescaling } = await gateway.job(params["jobid"]!);
  if (rescaling === undefined) throw new RestError(404, `AdaptiveScheduler is not enabled for this job (${params["jobid"]}).`);
  return rescaling;
}

async function rescalesOf({ gateway, params }: RestRequest): Promise<RescalesView> {
  const rescales = (await gateway.job(params["jobid"]!)).rescaling?.rescales;
  if (rescales === undefined) throw new RestError(404, `The job ${params["jobid"]} has not got the adaptive scheduler (${SCHEDULER.key}), or ${RESCALE_HISTORY_SIZE.key} is not greater than 0.`);
  return rescales;
}

function countsOf({ counts }: RescalesView): { readonly ignored: number; readonly inProgress: number; readonly completed: number; readonly failed: number } {
  return { ignored: counts.IGNORED, inProgress: counts.IN_PROGRESS, completed: counts.COMPLETED, failed: counts.FAILED };
}

function answerOf(record: RescaleRecord, withDetails: boolean): RescaleAnswer {
  return {
    rescaleUuid: record.rescaleId, resourceRequirementsUuid: record.requirementsId, rescaleAttemptId: record.attempt,
    vertices: withDetails ? Object.fromEntries(Object.entries(record.vertices).map(([id, { name, slotSharingGroup, desired, sufficient, before, after }]) => [id, {
      jobVertexId: id, jobVertexName: name, slotSharingGroupId: slotSharingGroup, slotSharingGroupName: slotSharingGroup, desiredParallelism: desired, sufficientParallelism: sufficient,
      preRescaleParallelism: before ?? null, postRescaleParallelism: after ?? null,
    }])) : {},
    slots: withDetails ? Object.fromEntries(Object.entries(record.slots).map(([group, { desired, sufficient, before, after }]) => [group, {
      slotSharingGroupId: group, slotSharingGroupName: group, requestResourceProfile: ANY_SLOT, desiredSlots: desired, minimalRequiredSlots: sufficient,
      preRescaleSlots: before ?? null, postRescaleSlots: after ?? null, acquiredResourceProfile: after === undefined ? null : ANY_SLOT,
    }])) : {},
    schedulerStates: withDetails ? record.states.map(({ state, enteredMs, leftMs, failure }) => ({
      state, enterTimestampInMillis: enteredMs, leaveTimestampInMillis: leftMs, durationInMillis: leftMs - enteredMs, stringifiedException: failure ?? null,
    })) : [],
    startTimestampInMillis: record.startMs, endTimestampInMillis: record.endMs ?? null, terminalState: record.outcome ?? null, triggerCause: record.cause, terminatedReason: record.reason ?? null,
  };
}
