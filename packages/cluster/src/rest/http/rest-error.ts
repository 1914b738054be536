import { isMillraceError, serializeError } from "@millrace/core";
import { stackTrace } from "../gateway/stack-trace.js";

/** An answer that is an error: its HTTP status, and what `{"errors": […]}` says. */
export class RestError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Flink's status for what a gateway can refuse. */
const statuses: Readonly<Record<string, number>> = {
  JOB_UNKNOWN: 404, TASK_MANAGER_UNKNOWN: 404, LOG_UNKNOWN: 404, ARTIFACT_UNKNOWN: 404, PROFILE_UNKNOWN: 404, PROFILING_RUNS: 409, JOB_NOT_RUNNING: 409, NOT_SUPPORTED: 501, RESCALING_UNAVAILABLE: 501, RESOURCE_REQUIREMENTS_INVALID: 400, CONFIG_UNKNOWN_KEY: 400, CONFIG_BAD_VALUE: 400,
  BUNDLE_INVALID: 400, BUNDLE_FAILED: 400, JOB_NOT_DEFINED: 400, JOB_PLANNING_TIMEOUT: 400, GRAPH_EMPTY: 400, JOB_ALREADY_SUBMITTED: 409, PACKAGE_NOT_INSTALLED: 400,
};

/** Status and body for anything that was thrown. An error nobody expected shows its message, not its stack: that may hold paths and more. */
export function errorAnswer(thrown: unknown): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: { readonly errors: readonly string[] } } {
  if (thrown instanceof RestError) return { status: thrown.status, headers: thrown.headers, body: { errors: [thrown.message] } };
  if (isMillraceError(thrown)) {
    const text = thrown.hint === undefined ? thrown.message : `${thrown.message} (${thrown.hint})`;
    return { status: statuses[thrown.code] ?? 500, headers: {}, body: { errors: [`${thrown.code}: ${text}`] } };
  }
  return { status: 500, headers: {}, body: { errors: ["Internal server error.", String((thrown as Error)?.message ?? thrown)] } };
}

/** An error as the result of an asynchronous operation. */
export function failureCause(thrown: unknown): { readonly class: string; readonly "stack-trace": string; readonly "serialized-throwable": string } {
  const wire = serializeError(thrown);
  return { class: wire.code ?? wire.name, "stack-trace": stackTrace(wire), "serialized-throwable": "" };
}
