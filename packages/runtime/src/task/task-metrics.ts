import type { TaskParts } from "./task-setting.js";

/** A task's metrics under Flink's names: the task's own bare, an operator's as `operator.metric`. */
export function taskMetrics(
  parts: TaskParts | undefined, time: { readonly busy: number; readonly backPressured: number; readonly idle: number }, alignmentMs: number,
): Record<string, number> {
  const values: Record<string, number> = {
    busyTimeMsPerSecond: time.busy,
    backPressuredTimeMsPerSecond: time.backPressured,
    idleTimeMsPerSecond: time.idle,
    checkpointAlignmentTime: alignmentMs,
  };
  if (parts === undefined) return values;
  const { head, nodes } = parts.chain;
  values["numRecordsIn"] = head.recordsIn;
  values["numRecordsOut"] = nodes.reduce((sum, node) => sum + (leavesTask(node) ? node.recordsOut : 0), 0);
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
  for (const reader of node.readers()) if ("channels" in reader) return true;
  return false;
}
