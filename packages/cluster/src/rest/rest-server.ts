import { mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { MillraceError, type LogSink } from "@millrace/core";
import { checkBinding, isLoopback } from "../security/bind-policy.js";
import { RequestGuard } from "../security/request-guard.js";
import type { Tokens } from "../security/tokens.js";
import { FlameGraphs, type FlameGraphSettings } from "./flame-graphs.js";
import type { RestGateway } from "./gateway/rest-gateway.js";
import { AsyncOperations } from "./http/async-operations.js";
import { loginPage } from "./http/login-page.js";
import { readBody, readJson, receiveFile } from "./http/request-body.js";
import { RestError, errorAnswer } from "./http/rest-error.js";
import { FileAnswer, RawAnswer, type RestRequest, type RouteSettings } from "./http/route.js";
import { Router, type RouteMatch } from "./http/router.js";
import { StaticFiles } from "./http/static-files.js";
import { openApi } from "./openapi.js";
import { allRoutes } from "./routes/all-routes.js";

/** Keys and certificates, PEM. */
export interface ServerTls {
  readonly certificate: string | Buffer;
  readonly key: string | Buffer;
  /** With it clients may show a certificate of this CA. */
  readonly clientCa?: string | Buffer;
}

export interface RestServerInit {
  readonly gateway: RestGateway;
  /** Says that this process is a standby, and where the leader serves REST: requests are sent there. */
  readonly standby?: (() => { readonly leaderUrl: string | undefined } | undefined) | undefined;
  readonly version: string;
  readonly log: LogSink;
  /** Default localhost. Anything that is not loopback needs `tls` and authentication. */
  readonly host?: string | undefined;
  /** A free one of these, in order; 0 is any. */
  readonly ports: readonly number[];
  readonly tls?: ServerTls | undefined;
  /** Called when the server is closed. */
  readonly onClose?: () => void;
  readonly tokens?: Tokens | undefined;
  /** Accept client certificates of `tls.clientCa` as authentication. */
  readonly clientCertificates?: boolean;
  /** Directory of a dashboard's static files. */
  readonly dashboardDirectory?: string | undefined;
  readonly uploadDirectory?: string | undefined;
  readonly maxUploadBytes?: number;
  readonly settings?: Partial<RouteSettings>;
  readonly flameGraphs?: Partial<FlameGraphSettings>;
  /** How long a client may take to send its headers, and its whole request. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
}

const defaultFlameGraphs: FlameGraphSettings = { enabled: false, samples: 100, delayMs: 50, depth: 100, refreshIntervalMs: 60_000, cleanupIntervalMs: 600_000 };
const MAX_CONNECTIONS = 1000;
const DEFAULT_MAX_UPLOAD = 100 * 1024 ** 2;
const MAX_URL = 8192;
const safeHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff", "x-frame-options": "DENY" };
const pageHeaders = { "content-security-policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'", "referrer-policy": "same-origin" };

/** The REST API and dashboard of a cluster over HTTP or HTTPS. Start it with {@link startRestServer}. */
export class RestServer {
  readonly #init: RestServerInit;
  readonly #server: Server;
  readonly #guard: RequestGuard;
  readonly #router = new Router(allRoutes);
  readonly #operations = new AsyncOperations();
  readonly #settings: RouteSettings;
  readonly #flameGraphs: FlameGraphs;
  readonly #files: StaticFiles | undefined;
  readonly #api: string;
  #uploads: string | undefined;

  constructor(init: RestServerInit) {
    const host = init.host ?? "localhost";
    checkBinding({ host, tls: init.tls !== undefined, authentication: init.tokens !== undefined || init.clientCertificates === true });
    this.#init = init;
    this.#guard = new RequestGuard({ loopback: isLoopback(host), tls: init.tls !== undefined, tokens: init.tokens, clientCertificates: init.clientCertificates ?? false });
    this.#settings = { submitEnabled: false, cancelEnabled: true, refreshIntervalMs: 3000, profilingEnabled: false, profilingMaxSeconds: 300, ...init.settings };
    this.#flameGraphs = new FlameGraphs(init.gateway, { ...defaultFlameGraphs, ...init.flameGraphs });
    this.#files = init.dashboardDirectory === undefined ? undefined : new StaticFiles(init.dashboardDirectory);
    this.#api = JSON.stringify(openApi(allRoutes, init.version));
    this.#server = this.#create((request, response) => void this.#serve(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.setTimeout(120_000, (socket) => socket.destroy());
  }

  /** Where it listens: `http://localhost:8081`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    const host = this.#init.host ?? "localhost";
    return `${this.#init.tls === undefined ? "http" : "https"}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
  }

  /** @throws `REST_PORT_IN_USE` when none of the ports is free */
  async listen(): Promise<void> {
    const host = (this.#init.host ?? "localhost").replace(/^\[|\]$/g, "");
    for (const port of this.#init.ports) {
      if (await listenOn(this.#server, host, port)) return;
    }
    throw new MillraceError({
      code: "REST_PORT_IN_USE", message: `no port of ${this.#init.ports.slice(0, 5).join(", ")} on ${host} is free for the REST server`, hint: "set rest.port to another one, or to 0 for any",
      location: { option: "rest.port" },
    });
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    this.#init.onClose?.();
    if (this.#uploads !== undefined) await rm(this.#uploads, { recursive: true, force: true });
  }

  /** Connections that are made from now on are shown these. */
  replaceTls({ certificate, key, clientCa }: ServerTls): void {
    (this.#server as TlsServer).setSecureContext({ cert: certificate, key, minVersion: "TLSv1.2", ...(clientCa === undefined ? {} : { ca: clientCa }) });
  }

  /** Lets the process end although the server still listens. */
  unref(): void {
    this.#server.unref();
  }

  #create(listener: RequestListener): Server {
    const limits = {
      headersTimeout: this.#init.headersTimeoutMs ?? 10_000, requestTimeout: this.#init.requestTimeoutMs ?? 120_000, keepAliveTimeout: 15_000, maxHeaderSize: 16 * 1024,
      connectionsCheckingInterval: Math.min(1000, this.#init.headersTimeoutMs ?? 1000),
    };
    const { tls } = this.#init;
    if (tls === undefined) return createServer(limits, listener);
    return createTlsServer({
      ...limits, cert: tls.certificate, key: tls.key, minVersion: "TLSv1.2",
      ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: this.#init.tokens === undefined && this.#init.clientCertificates === true }),
    }, listener);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (thrown) {
      const { status, headers, body } = errorAnswer(thrown);
      if (status >= 500 && status !== 501 && status !== 503) this.#init.log.write("warn", `REST ${request.method} ${pathOf(request)}: ${body.errors.join(" ")}`);
      if (!response.headersSent) send(response, status, "application/json; charset=UTF-8", JSON.stringify(body), headers);
      // What is left of the request is not read: the connection cannot go on.
      if (!request.complete) response.once("finish", () => request.destroy());
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#guard.checkOrigin(request);
    if ((request.url ?? "").length > MAX_URL) throw new RestError(414, "The URL is too long.");
    const path = pathOf(request);
    const standby = this.#init.standby?.();
    if (standby !== undefined) return sendToLeader(request, response, standby.leaderUrl);
    if (path === "/login" || path === "/logout") return this.#session(request, response, path);
    const method = request.method === "HEAD" ? "GET" : request.method ?? "GET";
    if (method === "GET" && (path === "/v1/openapi.json" || path === "/openapi.json")) {
      this.#guard.checkRole(request, "viewer");
      return send(response, 200, "application/json; charset=UTF-8", this.#api);
    }
    if (this.#guard.identify(request) === undefined && wantsPage(request)) return redirect(response, "/login");
    // Who may not call a route learns nothing of it, nor of its parameters.
    this.#guard.checkRole(request, "viewer");
    const match = this.#router.match(method, path);
    if (match !== undefined) {
      this.#guard.checkRole(request, match.route.role);
      return this.#call(request, response, match);
    }
    const file = method === "GET" ? await this.#files?.read(path) : undefined;
    if (file === undefined) throw new RestError(404, method === "GET" ? `Unable to load requested file ${path}.` : `Not found: ${path}`);
    send(response, 200, file.contentType, file.bytes, pageHeaders);
  }

  async #call(request: IncomingMessage, response: ServerResponse, { route, params }: RouteMatch): Promise<void> {
    if (route.takesFile === true && !this.#settings.submitEnabled) throw new RestError(403, "Uploads are switched off: set web.submit.enable.", { connection: "close" });
    const upload = route.takesFile === true ? await receiveFile(request, this.#uploadDirectory(), this.#init.maxUploadBytes ?? DEFAULT_MAX_UPLOAD) : undefined;
    const body = route.body === undefined ? undefined : await readJson(request, route.body);
    const call: RestRequest = {
      gateway: this.#init.gateway, operations: this.#operations, flameGraphs: this.#flameGraphs, settings: this.#settings, params, query: new URL(request.url ?? "/", "http://localhost").searchParams, body, upload,
      address: this.url,
    };
    const answer = await route.handle(call);
    if (answer instanceof RawAnswer) return send(response, route.status ?? 200, answer.contentType, answer.bytes);
    if (answer instanceof FileAnswer) return sendFile(response, answer);
    send(response, route.status ?? 200, "application/json; charset=UTF-8", JSON.stringify(answer));
  }

  async #session(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const { sessions } = this.#guard;
    if (path === "/logout" && request.method === "POST") return redirect(response, "/login", { "set-cookie": sessions.close(request.headers.cookie) });
    if (path !== "/login") throw new RestError(404, `Not found: ${path}`);
    if (request.method !== "POST") return send(response, 200, "text/html; charset=utf-8", loginPage(undefined), pageHeaders);
    const form = new URLSearchParams((await readBody(request, 4096)).toString("utf8"));
    try {
      redirect(response, "/", { "set-cookie": this.#guard.logIn(form.get("token") ?? "") });
    } catch (error) {
      if (!(error instanceof RestError) || error.status !== 401) throw error;
      send(response, 401, "text/html; charset=utf-8", loginPage(error.message), pageHeaders);
    }
  }

  /** A new directory that only this user can read. */
  #uploadDirectory(): string {
    if (this.#uploads === undefined) {
      const parent = this.#init.uploadDirectory ?? tmpdir();
      mkdirSync(parent, { recursive: true, mode: 0o700 });
      this.#uploads = mkdtempSync(join(parent, "millrace-uploads-"));
    }
    return this.#uploads;
  }
}

/** Makes a server and waits until it listens. @throws `BIND_NOT_SAFE`, `REST_PORT_IN_USE` */
export async function startRestServer(init: RestServerInit): Promise<RestServer> {
  const server = new RestServer(init);
  await server.listen();
  return server;
}

/** A browser that a person points here, rather than a program or a script of a page. */
function wantsPage(request: IncomingMessage): boolean {
  return request.method === "GET" && request.headers.accept?.includes("text/html") === true;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split(/[?#]/, 1)[0]!;
}

function send(response: ServerResponse, status: number, contentType: string, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, {
    ...safeHeaders, "content-type": contentType, "content-length": bytes.byteLength, ...headers,
  });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}

/** No more of it is read than the other side takes. */
async function sendFile(response: ServerResponse, { contentType, sizeBytes, pieces, headers }: FileAnswer): Promise<void> {
  response.writeHead(200, { ...safeHeaders, "content-type": contentType, "content-length": sizeBytes, ...headers });
  if (response.req.method === "HEAD") return void response.end();
  let sent = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      sent += piece.length;
      yield piece;
    }
    // Fewer bytes than were announced: the other side must not take them for the file.
    if (sent < sizeBytes) response.destroy();
  };
  await pipeline(counted, response).catch(() => response.destroy());
}

/** Method and body go along. The leader checks who asks. */
function sendToLeader(request: IncomingMessage, response: ServerResponse, leaderUrl: string | undefined): void {
  if (leaderUrl === undefined) throw new RestError(503, "No JobManager leads right now; ask again.", { "retry-after": "1" });
  const path = request.url?.startsWith("/") === true ? request.url : "/";
  response.writeHead(307, { location: `${leaderUrl}${path}`, "cache-control": "no-store" });
  response.end();
}

function redirect(response: ServerResponse, to: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(303, { location: to, "cache-control": "no-store", ...headers });
  response.end();
}

function listenOn(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve(true);
    });
  });
}
