import { readFileSync } from "node:fs";
import {
  FLAMEGRAPH_CLEANUP, FLAMEGRAPH_DELAY, FLAMEGRAPH_DEPTH, FLAMEGRAPH_ENABLED, FLAMEGRAPH_REFRESH, FLAMEGRAPH_SAMPLES, MillraceError, REST_BIND_ADDRESS, REST_MAX_CONTENT_LENGTH, REST_PORT, REST_SSL, REST_SSL_AUTHENTICATION, REST_SSL_CA, REST_SSL_CERTIFICATE, REST_SSL_KEY, REST_TOKENS_FILE,
  WEB_CANCEL, WEB_DASHBOARD_DIRECTORY, WEB_REFRESH_INTERVAL, WEB_SUBMIT, WEB_UPLOAD_DIRECTORY, expandPorts,
} from "@millrace/core";
import type { ConfigOption, Configuration, LogSink } from "@millrace/core";
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
 * @throws `BIND_NOT_SAFE`, `REST_PORT_IN_USE`, `TLS_FILE_UNREADABLE`, `TOKENS_FILE_INVALID`
 */
export function startConfiguredServer(config: Configuration, { defaultPorts = DEFAULT_PORTS, ...context }: ServerContext): Promise<RestServer> {
  const tokensFile = config.get(REST_TOKENS_FILE);
  return startRestServer({
    ...context, host: config.get(REST_BIND_ADDRESS), ports: expandPorts(config.get(REST_PORT) ?? defaultPorts), tls: tlsOf(config),
    tokens: tokensFile === undefined ? undefined : Tokens.read(tokensFile), clientCertificates: config.get(REST_SSL_AUTHENTICATION),
    dashboardDirectory: config.get(WEB_DASHBOARD_DIRECTORY), uploadDirectory: config.get(WEB_UPLOAD_DIRECTORY), maxUploadBytes: config.get(REST_MAX_CONTENT_LENGTH),
    settings: { submitEnabled: config.get(WEB_SUBMIT), cancelEnabled: config.get(WEB_CANCEL), refreshIntervalMs: config.get(WEB_REFRESH_INTERVAL) },
    flameGraphs: {
      enabled: config.get(FLAMEGRAPH_ENABLED), samples: config.get(FLAMEGRAPH_SAMPLES), delayMs: config.get(FLAMEGRAPH_DELAY), depth: config.get(FLAMEGRAPH_DEPTH),
      refreshIntervalMs: config.get(FLAMEGRAPH_REFRESH), cleanupIntervalMs: config.get(FLAMEGRAPH_CLEANUP),
    },
  });
}

function tlsOf(config: Configuration): ServerTls | undefined {
  if (!config.get(REST_SSL)) return undefined;
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
