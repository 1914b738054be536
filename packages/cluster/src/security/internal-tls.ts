import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { INTERNAL_SSL, INTERNAL_SSL_CA, INTERNAL_SSL_CERTIFICATE, INTERNAL_SSL_KEY, MillraceError, SSL_RELOAD_INTERVAL, type ConfigOption, type Configuration, type LogSink } from "@millrace/core";
import type { PeerCredentials } from "@millrace/env-node";
import { isLoopback } from "./bind-policy.js";
import { Reloaded } from "./reloaded.js";
import { INTERNAL_UNIT } from "./peer-roles.js";

/**
 * What this process shows others of its cluster; `undefined` when they speak without TLS. Everything that can be wrong with the files is found here,
 * rather than at the first connection.
 * @throws `TLS_FILE_UNREADABLE`, `TLS_CERTIFICATE_UNUSABLE`
 */
export function internalCredentials(config: Configuration, now: Date = new Date()): PeerCredentials | undefined {
  if (!config.get(INTERNAL_SSL)) return undefined;
  const [certificate, key, ca] = [INTERNAL_SSL_CERTIFICATE, INTERNAL_SSL_KEY, INTERNAL_SSL_CA].map((option) => ({ option, ...readPem(config, option) })) as [PemFile, PemFile, PemFile];
  const [own, authority] = [certificate, ca].map((file) => parse(file, (pem) => new X509Certificate(pem))) as [X509Certificate, X509Certificate];
  const privateKey = parse(key, (pem) => createPrivateKey(pem));
  if (!own.checkPrivateKey(privateKey)) throw unusable(key, "it is not the key of the certificate");
  if (!authority.ca) throw unusable(ca, "it is not the certificate of a CA");
  if (!own.checkIssued(authority) || !own.verify(authority.publicKey)) throw unusable(certificate, `it was not signed by the CA in "${ca.file}"`);
  for (const [file, { validTo }] of [[certificate, own], [ca, authority]] as const) if (new Date(validTo) < now) throw unusable(file, `it has expired on ${validTo}`);
  return { certificate: certificate.pem, key: key.pem, ca: ca.pem, serverUnit: INTERNAL_UNIT };
}

/**
 * The same, read again every `security.ssl.reload-interval`, so that a certificate can be replaced before it expires.
 * @throws what {@link internalCredentials} throws
 */
export function reloadedCredentials(config: Configuration, log: LogSink): Reloaded<PeerCredentials> | undefined {
  if (!config.get(INTERNAL_SSL)) return undefined;
  return new Reloaded({
    what: "the certificate of this process", read: () => internalCredentials(config)!, textOf: ({ certificate, key, ca }) => `${certificate}\n${key}\n${ca}`, intervalMs: config.get(SSL_RELOAD_INTERVAL), log,
  });
}

/**
 * Refuses to listen where others than the users of this machine could connect, unless they have to show a certificate: jobs are programs, and this
 * port takes them from anybody.
 * @throws `BIND_NOT_LOOPBACK`
 */
export function requireSafeBinding(host: string, option: ConfigOption<string>, credentials: unknown): void {
  if (isLoopback(host) || credentials !== undefined) return;
  throw new MillraceError({
    code: "BIND_NOT_LOOPBACK", message: `"${option.key}" is "${host}": a port that others can reach needs TLS and authentication`,
    hint: `make certificates with \`millrace cert NAME --internal\` and set ${INTERNAL_SSL.key}, ${INTERNAL_SSL_CERTIFICATE.key}, ${INTERNAL_SSL_KEY.key} and ${INTERNAL_SSL_CA.key}; or use 127.0.0.1`,
    location: { option: option.key },
  });
}

interface PemFile {
  readonly option: ConfigOption<string | undefined>;
  readonly file: string;
  readonly pem: string;
}

function readPem(config: Configuration, option: ConfigOption<string | undefined>): { readonly file: string; readonly pem: string } {
  const file = config.get(option);
  try {
    if (file === undefined) throw new Error("it is not set");
    return { file, pem: readFileSync(file, "utf8") };
  } catch (cause) {
    throw new MillraceError({
      code: "TLS_FILE_UNREADABLE", message: `${option.key} cannot be used: ${(cause as Error).message}`, hint: "`millrace cert NAME --internal` makes certificates and keys", cause,
      location: { option: option.key, ...(file === undefined ? {} : { file }) },
    });
  }
}

function parse<T>(file: PemFile, read: (pem: string) => T): T {
  try {
    return read(file.pem);
  } catch (cause) {
    throw unusable(file, (cause as Error).message);
  }
}

function unusable({ option, file }: PemFile, why: string): MillraceError {
  return new MillraceError({
    code: "TLS_CERTIFICATE_UNUSABLE", message: `"${file}" (${option.key}) cannot be used: ${why}`, hint: "`millrace cert NAME --internal` makes a certificate and its key, signed by the cluster's CA",
    location: { option: option.key, file },
  });
}
