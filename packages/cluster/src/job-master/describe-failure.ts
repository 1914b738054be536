import { MillraceError, userPlace } from "@millrace/core";
import type { SerializedError } from "@millrace/core";

/** In one line: the operator or task, what happened, and where in the user's code it began. */
export function describeFailure(taskName: string | undefined, error: SerializedError): string {
  const { operator, subtask } = error.location ?? {};
  const named = operator !== undefined && error.message.includes(operator);
  const where = operator === undefined ? `${taskName ?? "the job"} failed: ` : named ? "" : `operator "${operator}" (subtask ${subtask ?? 0}) failed: `;
  const place = userPlace(error);
  return `${where}${error.message}${place === undefined || error.message.includes(place) ? "" : ` (at ${place})`}`;
}

/** Who asks something of a job that is over gets this. */
export function jobHasEnded(): MillraceError {
  return new MillraceError({ code: "JOB_NOT_RUNNING", message: "the job has ended" });
}
