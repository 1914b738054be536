import { duration, MillraceError, type DurationLike } from "@millrace/core";
import type { StreamNode } from "@millrace/graph";

/** Longer than any job: only full buffers are sent. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

export function setParallelism(node: StreamNode, parallelism: number): void {
  node.parallelism = checkedParallelism(parallelism, "parallelism", node.name);
}

export function setMaxParallelism(node: StreamNode, maxParallelism: number): void {
  node.maxParallelism = checkedParallelism(maxParallelism, "max parallelism", node.name);
}

/** @throws `PARALLELISM_INVALID` unless an integer from 1 to 32768 */
export function checkedParallelism(value: number, what: string, operator?: string): number {
  if (Number.isInteger(value) && value >= 1 && value <= 32_768) return value;
  throw new MillraceError({
    code: "PARALLELISM_INVALID",
    message: `the ${what} ${String(value)}${operator === undefined ? "" : ` of "${operator}"`} is not an integer from 1 to 32768`,
    hint: "choose 1 or more, or leave it out",
    ...(operator === undefined ? {} : { location: { operator } }),
  });
}

/** A buffer timeout; -1 sends full buffers only. @throws `DURATION_INVALID` */
export function bufferTimeoutMs(timeout: DurationLike): number {
  return timeout === -1 ? NEVER_MS : duration(timeout);
}

/** @throws `ATTRIBUTE_INVALID` when empty or not text */
export function checkedText(value: string, what: string, node: StreamNode): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  throw new MillraceError({
    code: "ATTRIBUTE_INVALID",
    message: `the ${what} of "${node.name}" is ${JSON.stringify(value) ?? "undefined"}`,
    hint: `give the ${what} as text that is not empty`,
    location: { operator: node.name },
  });
}

/** @throws `ATTRIBUTE_INVALID` unless 32 hex digits */
export function checkedUidHash(value: string, node: StreamNode): string {
  if (typeof value === "string" && /^[0-9a-f]{32}$/.test(value)) return value;
  throw new MillraceError({
    code: "ATTRIBUTE_INVALID",
    message: `the uid hash of "${node.name}" is ${JSON.stringify(value) ?? "undefined"}`,
    hint: "give the operator's id as it is in _metadata: 32 hexadecimal digits; for a name of your own use uid()",
    location: { operator: node.name },
  });
}

/** Labels that every operator's metrics have, and those that histograms need. */
const OWN_LABELS: ReadonlySet<string> = new Set([
  "host", "tm_id", "job_id", "job_name", "task_id", "task_name", "subtask_index", "task_attempt_num", "operator_id", "operator_name", "quantile", "le",
]);

/** @throws `ATTRIBUTE_INVALID` for what is no label, or is one of every operator */
export function addMetricVariable(node: StreamNode, key: string, value: string): void {
  if (typeof key !== "string" || !/^(?!__)[A-Za-z_][A-Za-z0-9_]*$/.test(key) || OWN_LABELS.has(key)) {
    throw new MillraceError({
      code: "ATTRIBUTE_INVALID",
      message: `${JSON.stringify(key) ?? "undefined"} cannot be a metric variable of "${node.name}"`,
      hint: OWN_LABELS.has(key) ? "every metric has this label; choose another key" : "choose letters, digits and underscores, as in data_centre",
      location: { operator: node.name },
    });
  }
  node.metricVariables = { ...node.metricVariables, [key]: checkedText(value, `metric variable ${key}`, node) };
}
