import { MillraceError } from "@millrace/core";

/** A time stamp that cannot be one, named with its record. */
export function timestampInvalid(timestampMs: unknown, value: unknown, operatorName: string): MillraceError {
  return new MillraceError({
    code: "TIMESTAMP_INVALID",
    message: `operator "${operatorName}" got ${describe(timestampMs)} as the time stamp of ${preview(value)}`,
    hint: "a time stamp is an integer number of milliseconds since the epoch; convert dates with getTime(), and check for missing fields",
    location: { operator: operatorName },
  });
}

function describe(timestampMs: unknown): string {
  return typeof timestampMs === "number" || timestampMs === undefined || timestampMs === null ? String(timestampMs) : `a ${typeof timestampMs} (${String(timestampMs)})`;
}

function preview(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = String(value);
  }
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
