import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  FLAMEGRAPH_CLEANUP, FLAMEGRAPH_DELAY, FLAMEGRAPH_DEPTH, FLAMEGRAPH_ENABLED, FLAMEGRAPH_REFRESH, FLAMEGRAPH_SAMPLES, MillraceError, PROFILING_DURATION_MAX, PROFILING_ENABLED, REST_BIND_ADDRESS, REST_MAX_CONTENT_LENGTH, REST_PORT, REST_SSL, REST_SSL_AUTHENTICATION, REST_SSL_CA, REST_SSL_CERTIFICATE, REST_SSL_KEY, REST_TOKENS_FILE, SSL_RELOAD_INTERVAL,
  WEB_CANCEL, WEB_DASHBOARD_DIRECTORY, WEB_REFRESH_INTERVAL, WEB_SUBMIT, WEB_UPLOAD_DIRECTORY, expandPorts,
} from "@millrace/core";
import type { ConfigOption, Configuration, LogSink } from "@millrace/core";
import { Reloaded } from "../security/reloaded.js";
import { Tokens } from "../security/tokens.js";
import type { RestGateway } from "./gateway/rest-gateway.js";
import { startRestServer, type RestServer, type RestServerInit, type ServerTls } from "./rest-server.js";

const DEFAULT_PORTS = "8081";

export interface ServerContext {
  readonly gateway: RestGateway;
  readonly standby?: RestServerInit["standby"];
  readonly version: string;
  readonly log: LogSink;
  /** A port or range for a configuration that names none. */
  readonly defaultPorts?: string;
}

/**
 * Starts the REST server that a configuration describes, on port 8081 or the default that is given when it names none.
 * @throws `BIND_NOT_SAFE`, `REST_PORT_IN_USE`, `TLS_FILE_UNREADABLE`, `TLS_CERTIFICATE_UNUSABLE`, `TOKENS_FILE_INVALID`
 */
export async function startConfiguredServer(config: Configuration, { defaultPorts = DEFAULT_PORTS, ...context }: ServerContext): Promise<RestServer> {
  const tokensFile = config.get(REST_TOKENS_FILE);
  const tls = reloadedTls(config, context.log);
  const server = await startRestServer({
    ...context, host: config.get(REST_BIND_ADDRESS), ports: expandPorts(config.get(REST_PORT) ?? defaultPorts), tls: tls?.current, onClose: () => tls?.close(),
    tokens: tokensFile === undefined ? undefined : Tokens.read(tokensFile), clientCertificates: config.get(REST_SSL_AUTHENTICATION),
    dashboardDirectory: config.get(WEB_DASHBOARD_DIRECTORY), uploadDirectory: config.get(WEB_UPLOAD_DIRECTORY), maxUploadBytes: config.get(REST_MAX_CONTENT_LENGTH),
    settings: {
      submitEnabled: config.get(WEB_SUBMIT), cancelEnabled: config.get(WEB_CANCEL), refreshIntervalMs: config.get(WEB_REFRESH_INTERVAL),
      profilingEnabled: config.get(PROFILING_ENABLED), profilingMaxSeconds: Math.floor(config.get(PROFILING_DURATION_MAX) / 1000),
    },
    flameGraphs: {
      enabled: config.get(FLAMEGRAPH_ENABLED), samples: config.get(FLAMEGRAPH_SAMPLES), delayMs: config.get(FLAMEGRAPH_DELAY), depth: config.get(FLAMEGRAPH_DEPTH),
      refreshIntervalMs: config.get(FLAMEGRAPH_REFRESH), cleanupIntervalMs: config.get(FLAMEGRAPH_CLEANUP),
    },
  });
  tls?.onChange((replaced) => server.replaceTls(replaced));
  return server;
}

function reloadedTls(config: Configuration, log: LogSink): Reloaded<ServerTls> | undefined {
  if (!config.get(REST_SSL)) return undefined;
  const textOf = ({ certificate, key, clientCa }: ServerTls): string => [certificate, key, clientCa].join("\n");
  return new Reloaded({ what: "the certificate of the REST server", read: () => usable(tlsOf(config), config), textOf, intervalMs: config.get(SSL_RELOAD_INTERVAL), log });
}

/** @throws `TLS_CERTIFICATE_UNUSABLE` */
function usable(tls: ServerTls, config: Configuration): ServerTls {
  let why: string | undefined;
  try {
    const certificate = new X509Certificate(tls.certificate);
    if (!certificate.checkPrivateKey(createPrivateKey(tls.key))) why = "the key is not that of the certificate";
    if (tls.clientCa !== undefined && !new X509Certificate(tls.clientCa).ca) why = "the CA's certificate is not that of a CA";
  } catch (error) {
    why = (error as Error).message;
  }
  if (why === undefined) return tls;
  const file = config.get(REST_SSL_CERTIFICATE);
  throw new MillraceError({
    code: "TLS_CERTIFICATE_UNUSABLE", message: `"${file}" (${REST_SSL_CERTIFICATE.key}) cannot be used: ${why}`, hint: "`millrace cert NAME --host …` makes a certificate and its key",
    location: { option: REST_SSL_CERTIFICATE.key, ...(file === undefined ? {} : { file }) },
  });
}

function tlsOf(config: Configuration): ServerTls {
  const clientCa = config.get(REST_SSL_AUTHENTICATION) || config.has(REST_SSL_CA) ? { clientCa: read(config, REST_SSL_CA) } : {};
  return { certificate: read(config, REST_SSL_CERTIFICATE), key: read(config, REST_SSL_KEY), ...clientCa };
}

function read(config: Configuration, option: ConfigOption<string | undefined>): Buffer {
  const file = config.get(option);
  try {
    if (file === undefined) throw new Error("it is not set");
    return readFileSync(file);
  } catch (cause) {
    throw new MillraceError({
      code: "TLS_FILE_UNREADABLE", message: `${option.key} cannot be used: ${(cause as Error).message}`, hint: "`millrace cert` makes certificates and keys", cause,
      location: { option: option.key, ...(file === undefined ? {} : { file }) },
    });
  }
}
