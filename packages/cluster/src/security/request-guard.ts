import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { RestError } from "../rest/http/rest-error.js";
import { isLoopback } from "./bind-policy.js";
import { isRole, mayActAs, type Identity, type Role } from "./roles.js";
import { Sessions } from "./sessions.js";
import type { Tokens } from "./tokens.js";

export interface RequestGuardInit {
  /** Bound to loopback: the name in `Host` must be this machine's, or a page of another name reaches us by DNS rebinding. */
  readonly loopback: boolean;
  readonly tls: boolean;
  readonly tokens: Tokens | undefined;
  /** Client certificates of the cluster's CA are accepted. */
  readonly clientCertificates: boolean;
}

const everybody: Identity = { name: "anonymous", role: "operator" };

/** Decides of every request whether it is heard: where it comes from, then who sent it, then what they may do. */
export class RequestGuard {
  readonly sessions = new Sessions();
  readonly #init: RequestGuardInit;

  constructor(init: RequestGuardInit) {
    this.#init = init;
  }

  get authenticates(): boolean {
    return this.#init.tokens !== undefined || this.#init.clientCertificates;
  }

  /**
   * Refuses what another web site makes a browser send. Programs send neither `Origin` nor `Sec-Fetch-Site`.
   * @throws 400 without a usable `Host`, 403 for a foreign one or a foreign origin
   */
  checkOrigin(request: IncomingMessage): void {
    const host = request.headers.host;
    const name = host === undefined ? undefined : hostName(host);
    if (name === undefined) throw new RestError(400, "The Host header is missing or malformed.");
    if (this.#init.loopback && !isLoopback(name)) throw new RestError(403, "This Host is not served here.");
    const { origin } = request.headers;
    if (origin !== undefined && !sameOrigin(origin, host!, this.#init.tls)) throw new RestError(403, "Requests of other origins are refused.");
    const site = request.headers["sec-fetch-site"];
    const navigates = request.method === "GET" && request.headers["sec-fetch-mode"] === "navigate" && request.headers["sec-fetch-dest"] === "document";
    if (origin === undefined && (site === "cross-site" || site === "same-site") && !navigates) throw new RestError(403, "Requests of other sites are refused.");
  }

  /** Who sent a request; `undefined` when nobody we know. */
  identify(request: IncomingMessage): Identity | undefined {
    if (!this.authenticates) return everybody;
    return this.#byCertificate(request) ?? this.#byToken(request) ?? this.sessions.find(request.headers.cookie);
  }

  /** @throws 401, 403 */
  checkRole(request: IncomingMessage, needed: Role): Identity {
    const site = request.headers["sec-fetch-site"];
    if (needed !== "viewer" && (site === "cross-site" || site === "same-site")) throw new RestError(403, "Requests of other sites are refused.");
    const identity = this.identify(request);
    if (identity === undefined) throw new RestError(401, "Authentication is required: send a bearer token, or log in.", { "www-authenticate": "Bearer" });
    if (!mayActAs(identity.role, needed)) throw new RestError(403, `"${identity.name}" is a ${identity.role}; this needs the role ${needed}.`);
    // A browser sends its cookie by itself: what changes something must be known to come from our own page.
    if (needed !== "viewer" && fromCookie(request) && !fromOurPage(request)) throw new RestError(403, "This request does not come from the dashboard.");
    return identity;
  }

  /** Exchanges a token for a session. @throws 401 */
  logIn(token: string): string {
    const identity = this.#init.tokens?.find(token);
    if (identity === undefined) throw new RestError(401, "This token is not known.");
    return this.sessions.open(identity, this.#init.tls);
  }

  #byToken(request: IncomingMessage): Identity | undefined {
    const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? "");
    return match === null ? undefined : this.#init.tokens?.find(match[1]!);
  }

  /** A certificate's name is its CN, its role its OU; without one it may only look. */
  #byCertificate(request: IncomingMessage): Identity | undefined {
    if (!this.#init.clientCertificates) return undefined;
    const socket = request.socket as TLSSocket;
    if (socket.authorized !== true) return undefined;
    const { subject } = socket.getPeerCertificate();
    if (subject === undefined) return undefined;
    const unit = ([] as string[]).concat((subject as { OU?: string | string[] }).OU ?? [])[0] ?? "viewer";
    return { name: String(subject.CN ?? "certificate"), role: isRole(unit) ? unit : "viewer" };
  }
}

function fromCookie(request: IncomingMessage): boolean {
  return request.headers.authorization === undefined && request.headers.cookie !== undefined;
}

function fromOurPage(request: IncomingMessage): boolean {
  return request.headers.origin !== undefined || request.headers["sec-fetch-site"] === "same-origin";
}

function hostName(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(host);
  return match?.[1];
}

function sameOrigin(origin: string, host: string, tls: boolean): boolean {
  return origin.toLowerCase() === `${tls ? "https" : "http"}://${host.toLowerCase()}`;
}
