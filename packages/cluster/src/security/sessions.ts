import { createHash, randomBytes } from "node:crypto";
import type { Identity } from "./roles.js";

const LIFETIME_MS = 12 * 3_600_000;
const MOST = 1000;
const COOKIE = "millrace-session";

/** Logins of browsers: a cookie that scripts cannot read and other sites cannot send. Kept in memory, by hash; twelve hours. */
export class Sessions {
  readonly #sessions = new Map<string, { readonly identity: Identity; readonly untilMs: number }>();

  /** The `Set-Cookie` header of a new session. */
  open(identity: Identity, secure: boolean): string {
    const now = performance.now();
    for (const [key, { untilMs }] of this.#sessions) if (untilMs < now) this.#sessions.delete(key);
    // The oldest goes first: a Map keeps the order.
    for (const key of this.#sessions.keys()) if (this.#sessions.size >= MOST) this.#sessions.delete(key);
    const id = randomBytes(32).toString("base64url");
    this.#sessions.set(keyOf(id), { identity, untilMs: now + LIFETIME_MS });
    return `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${LIFETIME_MS / 1000}${secure ? "; Secure" : ""}`;
  }

  find(cookieHeader: string | undefined): Identity | undefined {
    const id = idIn(cookieHeader);
    const session = id === undefined ? undefined : this.#sessions.get(keyOf(id));
    return session !== undefined && session.untilMs > performance.now() ? session.identity : undefined;
  }

  /** Ends a session; the header that makes the browser forget it. */
  close(cookieHeader: string | undefined): string {
    const id = idIn(cookieHeader);
    if (id !== undefined) this.#sessions.delete(keyOf(id));
    return `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
  }
}

function idIn(header: string | undefined): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const [name, value] = part.trim().split("=", 2);
    if (name === COOKIE && value !== undefined) return value;
  }
  return undefined;
}

/** Looked up by hash, so that the time a look-up takes tells nothing of the id. */
function keyOf(id: string): string {
  return createHash("sha256").update(id).digest("base64");
}
