import { MillraceError } from "@millrace/core";

/** The version of this library; every package of it has the same. */
export const MILLRACE_VERSION = "0.1.0";

/** Patch versions work together, others do not. @throws `RPC_MILLRACE_VERSION` */
export function checkMillraceVersion(other: string, who: string): void {
  const series = (version: string): string => version.split(".").slice(0, 2).join(".");
  if (series(other) === series(MILLRACE_VERSION)) return;
  throw new MillraceError({
    code: "RPC_MILLRACE_VERSION", message: `${who} runs Millrace ${other.slice(0, 30)}, this side ${MILLRACE_VERSION}`,
    hint: "versions that differ only in the last number work together; install the same one",
  });
}
