import { MillraceError, type ConfigOption } from "@millrace/core";
import { isLoopback } from "../security/bind-policy.js";

/**
 * Refuses to listen where others than the users of this machine could connect: jobs are programs, and this port takes them from anybody.
 * @throws `BIND_NOT_LOOPBACK`
 */
export function requireLoopback(host: string, option: ConfigOption<string>): void {
  if (isLoopback(host)) return;
  throw new MillraceError({
    code: "BIND_NOT_LOOPBACK", message: `"${option.key}" is "${host}": a port that others can reach needs TLS and authentication, which the cluster's internal ports do not have yet`,
    hint: "use 127.0.0.1, and a tunnel between machines you trust", location: { option: option.key },
  });
}
