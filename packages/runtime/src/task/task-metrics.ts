import type { TimeAccounts } from "../metrics/time-accounts.js";
import type { TaskParts } from "./task-setting.js";

/** A task's metrics under Flink's names: the task's own bare, an operator's as `operator.metric`. */
export function taskMetrics(
  parts: TaskParts | undefined, accounts: TimeAccounts, nowMs: number, alignmentMs: number,
): Record<string, number> {
  const time = accounts.report(nowMs);
  const values: Record<string, number> = {
    busyTimeMsPerSecond: time.busy,
    backPressuredTimeMsPerSecond: time.backPressured,
    idleTimeMsPerSecond: time.idle,
    accumulateBusyTimeMs: accounts.busyMs,
    accumulateBackPressuredTimeMs: accounts.backpressuredMs,
    accumulateIdleTimeMs: accounts.idleMs(nowMs),
    isBackPressured: accounts.isBackpressured ? 1 : 0,
    checkpointAlignmentTime: alignmentMs,
  };
  if (parts === undefined) return values;
  const { head, nodes } = parts.chain;
  values["numRecordsIn"] = head.recordsIn;
  values["numRecordsOut"] = nodes.reduce((sum, node) => sum + (leavesTask(node) ? node.recordsOut : 0), 0);
  values["numBuffersOut"] = parts.chain.writers.reduce((sum, writer) => sum + writer.channels.reduce((buffers, channel) => buffers + channel.buffersOut, 0), 0);
  const combiners = parts.chain.writers.flatMap(({ combiner }) => combiner ?? []);
  if (combiners.length > 0) {
    values["numRecordsCombined"] = combiners.reduce((sum, { recordsCombined }) => sum + recordsCombined, 0);
    values["numSumsOut"] = combiners.reduce((sum, { sumsOut }) => sum + sumsOut, 0);
  }
  values["numRecordsInPerSecond"] = accounts.recordsIn.perSecond(values["numRecordsIn"], nowMs);
  values["numRecordsOutPerSecond"] = accounts.recordsOut.perSecond(values["numRecordsOut"], nowMs);
  values["currentInputWatermark"] = head.inputWatermarkMs;
  values["currentOutputWatermark"] = Math.min(...nodes.map((node) => node.outputWatermarkMs));
  let late = 0;
  const user: Record<string, number> = {};
  parts.metrics.read(user);
  for (const [name, value] of Object.entries(user)) {
    values[name] = value;
    if (name.endsWith(".numLateRecordsDropped")) late += value;
  }
  values["numLateRecordsDropped"] = late;
  for (const node of nodes) {
    values[`${node.name}.numRecordsIn`] = node.recordsIn;
    values[`${node.name}.numRecordsOut`] = node.recordsOut;
  }
  return values;
}

function leavesTask(node: TaskParts["chain"]["head"]): boolean {
  for (const reader of node.readers) if ("channels" in reader) return true;
  return false;
}
