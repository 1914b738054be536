import { isMillraceError } from "@millrace/core";

export { exitCodes } from "./exit-code-values.js";

const usageErrors: ReadonlySet<string> = new Set([
  "CONFIG_UNKNOWN_KEY", "CONFIG_BAD_VALUE", "JOB_FILE_NOT_FOUND", "JOB_DOES_NOT_COMPILE", "JOB_NOT_DEFINED", "PARALLELISM_INVALID", "CHECKPOINT_NOT_FOUND",
  "CHECKPOINT_UNREADABLE", "CHECKPOINT_STATE_UNMATCHED", "CHECKPOINT_MAX_PARALLELISM", "CHECKPOINT_IN_FLIGHT_UNMATCHED", "UNBOUNDED_IN_BATCH", "DUPLICATE_UID", "GRAPH_EMPTY", "DURATION_INVALID",
  "BIND_NOT_LOOPBACK", "TLS_FILE_UNREADABLE", "TLS_CERTIFICATE_UNUSABLE", "SAVEPOINT_DIRECTORY_MISSING", "SAVEPOINT_DIRECTORY_INVALID", "SAVEPOINT_IN_BATCH", "SAVEPOINT_FORMAT_UNKNOWN", "SAVEPOINT_DISPOSAL_REFUSED",
  "JOB_NOT_RUNNING", "CLUSTER_RUNNING", "JOB_UNKNOWN",
]);

/**
 * Whether an error says that the user has to change what was asked for, rather than that a job failed while it ran. While a job is being planned every
 * error with a code of ours does.
 */
export function isUsageError(error: unknown, planning: boolean = false): boolean {
  if (planning && isMillraceError(error)) return error.code !== "INTERNAL_ERROR";
  for (let current = error as { code?: string; cause?: unknown } | undefined; current !== undefined && current !== null; current = current.cause as typeof current) {
    if (typeof current !== "object") return false;
    if (current.code === "JOB_FAILED") continue;
    return current.code !== undefined && usageErrors.has(current.code);
  }
  return false;
}
