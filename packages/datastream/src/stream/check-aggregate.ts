import { MillraceError } from "@millrace/core";

const methods = ["createAccumulator", "add", "getResult"] as const;

/** @throws `AGGREGATE_INVALID`, naming the method that is missing */
export function checkAggregate(aggregate: unknown): void {
  const missing = methods.find((method) => typeof (aggregate as Partial<Record<string, unknown>> | undefined)?.[method] !== "function");
  if (missing === undefined) return;
  throw new MillraceError({
    code: "AGGREGATE_INVALID",
    message: `the aggregate function has no ${missing} method`,
    hint: "an aggregate function is an object with createAccumulator, add and getResult, and merge for session windows",
  });
}
