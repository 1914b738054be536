import { MAX_MAX_PARALLELISM, MillraceError } from "@millrace/core";
import type { StreamNode } from "./stream-graph.js";

/** @throws `PARALLELISM_INVALID` unless 1 ≤ parallelism ≤ maxParallelism ≤ 32768, all integers, and 1 where the operator cannot run in parallel. */
export function checkParallelism(node: StreamNode, parallelism: number, maxParallelism: number): void {
  if (!Number.isInteger(maxParallelism) || maxParallelism < 1 || maxParallelism > MAX_MAX_PARALLELISM) {
    throw invalidParallelism(node, `the max parallelism ${maxParallelism} of "${node.name}" is not an integer from 1 to ${MAX_MAX_PARALLELISM}`, "choose one in that range, or leave it out");
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
