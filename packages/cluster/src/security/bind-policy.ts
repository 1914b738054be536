import { isIP } from "node:net";
import { MillraceError } from "@millrace/core";

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (bare === "localhost" || bare === "::1") return true;
  return isIP(bare) === 4 && bare.startsWith("127.");
}

export interface Binding {
  readonly host: string;
  readonly tls: boolean;
  /** Callers must show a token or a client certificate. */
  readonly authentication: boolean;
}

/** Anything but loopback needs TLS and authentication. @throws `BIND_NOT_SAFE`, which says what is missing */
export function checkBinding({ host, tls, authentication }: Binding): void {
  if (isLoopback(host) || (tls && authentication)) return;
  const missing = [...(tls ? [] : ["TLS (security.ssl.rest.enabled with a certificate of `millrace cert`)"]), ...(authentication ? [] : ["authentication (security.rest.tokens-file, or security.ssl.rest.authentication-enabled)"])];
  throw new MillraceError({
    code: "BIND_NOT_SAFE", message: `refusing to listen on "${host}": other machines can reach it, and it has no ${missing.join(" and no ")}`,
    hint: "bind to localhost, or set what is missing; see docs/security.md", location: { option: "rest.bind-address" },
  });
}
