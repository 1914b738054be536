import { duration, type Duration, type DurationLike } from "../time/duration.js";

/** How long a value lives in processing time, what renews it, and whether an expired one that is still there may be seen. Flink: StateTtlConfig. */
export interface StateTtlConfig {
  readonly ttlMs: Duration;
  readonly updateType: "OnCreateAndWrite" | "OnReadAndWrite";
  readonly visibility: "NeverReturnExpired" | "ReturnExpiredIfNotCleanedUp";
}

/** Makes a {@link StateTtlConfig} with Flink's defaults: renewed by creation and writes, expired values never returned. */
export function stateTtl(
  ttl: DurationLike,
  options: { readonly updateType?: StateTtlConfig["updateType"]; readonly visibility?: StateTtlConfig["visibility"] } = {},
): StateTtlConfig {
  return {
    ttlMs: duration(ttl),
    updateType: options.updateType ?? "OnCreateAndWrite",
    visibility: options.visibility ?? "NeverReturnExpired",
  };
}
