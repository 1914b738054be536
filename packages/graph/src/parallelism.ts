import { MillraceError } from "@millrace/core";
import type { StreamNode } from "./stream-graph.js";

/** The most key groups a job can have. Flink: 1 << 15. */
export const UPPER_BOUND_MAX_PARALLELISM: number = 32_768;
const LOWER_BOUND_MAX_PARALLELISM = 128;

/** Flink's rule: one and a half times the parallelism, rounded up to a power of two, at least 128 and at most 32768. */
export function defaultMaxParallelism(parallelism: number): number {
  let power = 1;
  while (power < parallelism + Math.floor(parallelism / 2) && power < UPPER_BOUND_MAX_PARALLELISM) power *= 2;
  return Math.max(power, LOWER_BOUND_MAX_PARALLELISM);
}

/** @throws `PARALLELISM_INVALID` unless 1 ≤ parallelism ≤ maxParallelism ≤ 32768, all integers, and 1 where the operator cannot run in parallel. */
export function checkParallelism(node: StreamNode, parallelism: number, maxParallelism: number): void {
  if (!Number.isInteger(maxParallelism) || maxParallelism < 1 || maxParallelism > UPPER_BOUND_MAX_PARALLELISM) {
    throw invalidParallelism(node, `the max parallelism ${maxParallelism} of "${node.name}" is not an integer from 1 to ${UPPER_BOUND_MAX_PARALLELISM}`, "choose one in that range, or leave it out");
  }
  if (!Number.isInteger(parallelism) || parallelism < 1) {
    throw invalidParallelism(node, `the parallelism ${parallelism} of "${node.name}" is not an integer of at least 1`, "choose 1 or more, or leave it out");
  }
  if (parallelism > maxParallelism) {
    throw invalidParallelism(
      node, `the parallelism ${parallelism} of "${node.name}" is above its max parallelism ${maxParallelism}`,
      "lower the parallelism, or raise setMaxParallelism (which cannot change once there is a savepoint)");
  }
  if (node.forceNonParallel && parallelism !== 1) {
    throw invalidParallelism(node, `"${node.name}" sees all records and cannot run with parallelism ${parallelism}`, "leave its parallelism at 1, or key the stream first");
  }
}

export function invalidParallelism(node: StreamNode, message: string, hint: string): MillraceError {
  return new MillraceError({ code: "PARALLELISM_INVALID", message, hint, location: { operator: node.name } });
}
