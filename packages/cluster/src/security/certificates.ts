import "reflect-metadata";
import { X509Certificate, webcrypto } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { MillraceError } from "@millrace/core";
import type { PeerRole } from "./peer-roles.js";

export interface CertificateRequest {
  /** Where the CA is, and where files go: `ca.pem`, `ca.key`, `NAME.pem`, `NAME.key`. */
  readonly directory: string;
  /** Becomes the CN, and the names of the files. */
  readonly name: string;
  /** Host names and addresses a server is reached by. */
  readonly hosts: readonly string[];
  /** Becomes the OU: what a client may do, or that it is a process of the cluster. */
  readonly role?: PeerRole | undefined;
  readonly validDays?: number | undefined;
}

export interface WrittenCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** The CA did not exist and was made. */
  readonly caIsNew: boolean;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const CA_DAYS = 3650;
const DEFAULT_DAYS = 825;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Makes a certificate of the cluster's CA, and the CA itself when the directory has none yet (ECDSA P-256). A certificate serves both ends of a
 * connection, as Flink's internal ones do. Keys are readable by their owner only; nothing that exists is overwritten.
 * @throws `CERTIFICATE_EXISTS`, `CERTIFICATE_NAME_INVALID`, `CERTIFICATE_AUTHORITY_UNUSABLE`
 */
export async function makeCertificate(request: CertificateRequest): Promise<WrittenCertificate> {
  const { directory, name, hosts, role } = request;
  if (!NAME.test(name) || name === "ca") throw new MillraceError({ code: "CERTIFICATE_NAME_INVALID", message: `"${name}" cannot be a certificate's name`, hint: "letters, digits, dots, dashes; at most 64; not \"ca\"" });
  const files = { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`), ca: join(directory, "ca.pem") };
  for (const file of [files.certificate, files.key]) {
    if (existsSync(file)) throw new MillraceError({ code: "CERTIFICATE_EXISTS", message: `"${file}" exists already`, hint: "choose another name, or delete it first", location: { file } });
  }
  x509.cryptoProvider.set(webcrypto);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const caIsNew = !existsSync(files.ca);
  const ca = caIsNew ? await makeAuthority(directory) : await readAuthority(directory);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(), subject: [{ CN: [name] }, ...(role === undefined ? [] : [{ OU: [role] }])], issuer: ca.certificate.subject, ...validity(request.validDays ?? DEFAULT_DAYS),
    signingAlgorithm: algorithm, publicKey: keys.publicKey, signingKey: ca.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      ...(hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hosts.map((host) => ({ type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const), value: host })))]),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate),
    ],
  });
  writeKey(files.key, await exportKey(keys.privateKey));
  writeFileSync(files.certificate, `${certificate.toString("pem")}\n`, { flag: "wx" });
  return { ...files, caIsNew };
}

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
}

async function makeAuthority(directory: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(), name: [{ CN: ["Millrace cluster CA"] }], ...validity(CA_DAYS), signingAlgorithm: algorithm, keys: keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  writeKey(join(directory, "ca.key"), await exportKey(keys.privateKey));
  writeFileSync(join(directory, "ca.pem"), `${certificate.toString("pem")}\n`, { flag: "wx" });
  return { certificate, key: keys.privateKey };
}

async function readAuthority(directory: string): Promise<Authority> {
  const file = join(directory, "ca.key");
  try {
    const pem = readFileSync(join(directory, "ca.pem"), "utf8");
    // Read by Node, too: it refuses what TLS would refuse.
    if (!new X509Certificate(pem).ca) throw new Error("ca.pem is not the certificate of an authority");
    const der = Buffer.from(readFileSync(file, "utf8").replace(/-----[^-]+-----|\s/g, ""), "base64");
    return { certificate: new x509.X509Certificate(pem), key: await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]) };
  } catch (cause) {
    throw new MillraceError({ code: "CERTIFICATE_AUTHORITY_UNUSABLE", message: `the cluster's CA in "${directory}" cannot be used: ${(cause as Error).message}`, hint: "ca.pem and ca.key must be there together", cause, location: { file } });
  }
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{64}/g, "$&\n").trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

function writeKey(path: string, pem: string): void {
  writeFileSync(path, pem, { mode: 0o600, flag: "wx" });
}

/** 16 random bytes, positive. */
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0]! &= 0x7f;
  bytes[0]! |= 0x01;
  return Buffer.from(bytes).toString("hex");
}

/** From an hour ago, so that a clock that is a little behind accepts it. */
function validity(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + days * 86_400_000) };
}
