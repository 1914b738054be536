import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { checkedBetween, invalidOption, MillraceError, Secret } from "@millrace/core";
import type { JdbcDialect } from "../dialect/jdbc-dialect.js";

/** How to encrypt: PEM files. */
export interface JdbcTlsFiles {
  /** Authorities that may sign the server's certificate. Default: those of the system. */
  readonly ca?: string;
  /** This client's certificate and key, where the server asks for one. */
  readonly cert?: string;
  readonly key?: string;
  /** The name in the server's certificate. Default: the host of the URL. */
  readonly servername?: string;
}

/** Which database, as whom. Flink: JdbcConnectionOptions. */
export interface JdbcConnectionOptions {
  /** `postgresDialect` or `mysqlDialect`, from the package of that database. */
  readonly dialect: JdbcDialect;
  /** `postgres://host:5432/database`, `mysql://host:3306/database`. A user and a password in it are taken out of it, and never shown. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string | Secret;
  /** `true` trusts the system's authorities. The certificate is always checked. Default: no encryption. */
  readonly tls?: boolean | JdbcTlsFiles;
  /** How long one attempt to connect may take. Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** How long a server that is away is waited for, at the start and later, before the job fails with `JDBC_UNREACHABLE`. Default 60 s. */
  readonly connectionWaitMs?: number;
  /** How long a statement may take, and its answer stay away; a source's, each piece of rows. Then the job restarts with `JDBC_STATEMENT_TIMEOUT`. Default 10 minutes; 0 waits for ever. */
  readonly statementTimeoutMs?: number;
  /** Run on every new connection: `SET search_path TO shop`. */
  readonly initialStatements?: readonly string[];
}

/** What a dialect connects to. */
export interface JdbcTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: Secret | undefined;
  readonly tls: TlsOptions | undefined;
  readonly connectTimeoutMs: number;
  /** 0: none. */
  readonly statementTimeoutMs: number;
  readonly initialStatements: readonly string[];
}

/** Those options, checked and with all defaults. */
export interface JdbcConnectionSettings {
  readonly dialect: JdbcDialect;
  readonly target: JdbcTarget;
  readonly connectionWaitMs: number;
  /** `host:port/database`, for messages. */
  readonly place: string;
}

const MAX_WAIT_MS = 3_600_000;
/** A day. */
const MOST_STATEMENT_MS = 86_400_000;

/** @throws `OPTION_INVALID`; never shows a password */
export function connectionSettings(options: JdbcConnectionOptions): JdbcConnectionSettings {
  const { dialect } = options;
  if (typeof dialect?.connect !== "function") throw invalidOption("connection.dialect", "it is no dialect", "take postgresDialect from @millrace/connector-postgres or mysqlDialect from @millrace/connector-mysql");
  const url = parsed(options.url, dialect);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (url.hostname === "") throw invalidOption("connection.url", "it names no host");
  if (database === "") throw invalidOption("connection.url", "it names no database", `write it as ${dialect.schemes[0]}://host:${dialect.defaultPort}/database`);
  if (url.search !== "") throw invalidOption("connection.url", `parameters (${[...url.searchParams.keys()].join(", ")}) are not taken from it`, "use the options tls, connectTimeoutMs and initialStatements");
  const username = options.username ?? decodeURIComponent(url.username);
  if (username === "") throw invalidOption("connection.username", "there is no user, neither here nor in the URL");
  const password = options.password ?? (url.password === "" ? undefined : decodeURIComponent(url.password));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? dialect.defaultPort : Number(url.port);
  return {
    dialect, place: `${url.hostname}:${port}/${database}`,
    connectionWaitMs: checkedBetween("connection.connectionWaitMs", options.connectionWaitMs ?? 60_000, 0, MAX_WAIT_MS),
    target: {
      host, port, database, username, password: typeof password === "string" ? new Secret(password) : password,
      tls: tlsOptions(options.tls, host), connectTimeoutMs: checkedBetween("connection.connectTimeoutMs", options.connectTimeoutMs ?? 10_000, 100, MAX_WAIT_MS),
      statementTimeoutMs: checkedBetween("connection.statementTimeoutMs", options.statementTimeoutMs ?? 600_000, 0, MOST_STATEMENT_MS),
      initialStatements: options.initialStatements ?? [],
    },
  };
}

function parsed(text: string, dialect: JdbcDialect): URL {
  const hint = `write it as ${dialect.schemes[0]}://host:${dialect.defaultPort}/database`;
  let url: URL;
  try {
    // The scheme of the web makes the parser treat host and port as such.
    url = new URL(text.replace(/^(?:jdbc:)?[a-z]+:/i, "http:"));
  } catch {
    throw invalidOption("connection.url", "it is no URL", hint);
  }
  const scheme = /^(?:jdbc:)?([a-z]+):\/\//i.exec(text)?.[1]?.toLowerCase() ?? "";
  if (!dialect.schemes.includes(scheme)) throw invalidOption("connection.url", `"${scheme}" is no scheme of ${dialect.name}`, hint);
  return url;
}

function tlsOptions(tls: boolean | JdbcTlsFiles | undefined, host: string): TlsOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  const files = tls === true ? {} : tls;
  const read = (option: "ca" | "cert" | "key"): Record<string, string> => {
    const file = files[option];
    if (file === undefined) return {};
    try {
      return { [option]: readFileSync(file, "utf8") };
    } catch (error) {
      throw new MillraceError({ code: "OPTION_INVALID", message: `connection.tls.${option}: "${file}" cannot be read`, cause: error, location: { option: `connection.tls.${option}`, file } });
    }
  };
  const name = files.servername ?? host;
  // Client libraries choose the name themselves, or do not look at it.
  const identity = { ...(isIP(name) === 0 ? { servername: name } : {}), checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) => checkServerIdentity(name, certificate) };
  return { ...read("ca"), ...read("cert"), ...read("key"), ...identity, rejectUnauthorized: true };
}
