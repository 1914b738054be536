import { checkedOneOf, invalidOption, MillraceError } from "@millrace/core";
import { readFileSync } from "node:fs";
import type { ConnectionOptions as TlsOptions } from "node:tls";

/** How to prove who one is. */
export interface SaslOptions {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

/** How to encrypt: `true` trusts the system's authorities. */
export interface TlsFiles {
  /** PEM file of the authorities that may sign the brokers' certificates. */
  readonly ca?: string;
  /** PEM files of this client's certificate and key, where brokers ask for one. */
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/** What every Kafka source and sink needs to connect. */
export interface KafkaConnectionOptions {
  /** `host:port`, several with commas or as an array. One that answers is enough. Kafka: `bootstrap.servers`. */
  readonly bootstrapServers: string | readonly string[];
  /** Shown in the brokers' logs and quotas. Default `"millrace"`. */
  readonly clientId?: string;
  readonly sasl?: SaslOptions;
  readonly tls?: boolean | TlsFiles;
  /** How long one request may take. Default 30 s. */
  readonly requestTimeoutMs?: number;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Those options, checked and with all defaults. */
export interface ConnectionSettings {
  readonly bootstrap: readonly HostAndPort[];
  readonly clientId: string;
  readonly sasl: SaslOptions | undefined;
  readonly tls: TlsOptions | undefined;
  readonly requestTimeoutMs: number;
}

/** @throws `OPTION_INVALID` */
export function connectionSettings(options: KafkaConnectionOptions): ConnectionSettings {
  const listed = typeof options.bootstrapServers === "string" ? options.bootstrapServers.split(",") : options.bootstrapServers;
  const bootstrap = listed.map((server) => server.trim()).filter((server) => server !== "").map(hostAndPort);
  if (bootstrap.length === 0) throw invalidOption("bootstrapServers", "no server is named", 'write it as "host:9092,other:9092"');
  const requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
  if (!(requestTimeoutMs >= 100 && requestTimeoutMs <= 600_000)) throw invalidOption("requestTimeoutMs", `${requestTimeoutMs} is not between 100 and 600000`);
  const { sasl } = options;
  if (sasl !== undefined) checkedOneOf("sasl.mechanism", sasl.mechanism, ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]);
  return { bootstrap, clientId: options.clientId ?? "millrace", sasl, tls: tlsOptions(options.tls), requestTimeoutMs };
}

function hostAndPort(server: string): HostAndPort {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(server);
  const port = Number(match?.[3]);
  if (match === null || !(port > 0 && port < 65_536)) throw invalidOption("bootstrapServers", `"${server}" is no host:port`);
  return { host: match[1] ?? match[2]!, port };
}

function tlsOptions(tls: boolean | TlsFiles | undefined): TlsOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  const read = (option: "ca" | "cert" | "key"): Record<string, Buffer> => {
    const file = tls[option];
    if (file === undefined) return {};
    try {
      return { [option]: readFileSync(file) };
    } catch (error) {
      throw new MillraceError({ code: "OPTION_INVALID", message: `tls.${option}: "${file}" cannot be read`, cause: error, location: { option: `tls.${option}`, file } });
    }
  };
  return { ...read("ca"), ...read("cert"), ...read("key"), ...(tls.servername === undefined ? {} : { servername: tls.servername }) };
}
