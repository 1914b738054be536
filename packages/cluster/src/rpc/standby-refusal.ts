import { MillraceError, isMillraceError } from "@millrace/core";

/** Where a JobManager can be reached. */
export interface RpcAddress {
  readonly host: string;
  readonly port: number;
}

/** What a JobManager that does not lead says to everybody who connects. */
export function standbyRefusal(leader: RpcAddress | undefined): MillraceError {
  return new MillraceError({
    code: "JOB_MANAGER_STANDBY", recovery: "retry", message: `this JobManager is a standby; ${leader === undefined ? "no leader is known yet" : `the leader is at ${formatAddress(leader)}`}`,
    ...(leader === undefined ? {} : { cause: new MillraceError({ code: "JOB_MANAGER_LEADER", message: formatAddress(leader) }) }),
  });
}

/** Whether an error is the refusal of a standby, and where it says the leader is. */
export function leaderOfRefusal(error: unknown): { readonly leader: RpcAddress | undefined } | undefined {
  if (!isMillraceError(error) || error.code !== "JOB_MANAGER_STANDBY") return undefined;
  const { cause } = error;
  return { leader: isMillraceError(cause) && cause.code === "JOB_MANAGER_LEADER" ? parseAddress(cause.message) : undefined };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: RpcAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Reads `host:port`; `undefined` when it is not one. */
export function parseAddress(text: string): RpcAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]\s]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return digits === undefined || port < 1 || port > 65_535 ? undefined : { host: (bracketed ?? plain)!, port };
}
