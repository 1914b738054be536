import type { PeerCertificate, TLSSocket } from "node:tls";
import { MillraceError, type ConnectionPeer } from "@millrace/core";
import { addressOf } from "./node-connection.js";

/** What both ends of an encrypted connection between processes of a cluster show and ask for. All PEM. */
export interface PeerCredentials {
  readonly certificate: string;
  readonly key: string;
  /** Signs the certificates of all peers. */
  readonly ca: string;
  /** Who connects asks for a certificate with this OU, whatever the host's name: people's certificates come from the same CA, and must not pass for a server's. */
  readonly serverUnit: string;
}

/** Credentials that may be replaced: connections that are made from then on use the new ones. */
export interface CredentialSource {
  readonly current: PeerCredentials;
  /** @returns stops that */
  onChange(listener: (credentials: PeerCredentials) => void): () => void;
}

/** Credentials that never change. */
export function fixedCredentials(current: PeerCredentials): CredentialSource {
  return { current, onChange: () => () => undefined };
}

/** Who an authenticated TLS socket is connected to. */
export function peerOf(socket: TLSSocket): ConnectionPeer {
  return { address: addressOf(socket), certificate: subjectOf(socket.getPeerCertificate()) };
}

/** A name that comes twice is none. */
export function subjectOf({ subject }: Pick<PeerCertificate, "subject">): { readonly name: string; readonly unit: string | undefined } {
  const { CN, OU } = (subject ?? {}) as { readonly CN?: unknown; readonly OU?: unknown };
  return { name: typeof CN === "string" ? CN : "", unit: typeof OU === "string" ? OU : undefined };
}

/** What OpenSSL says of a handshake that failed, in words that help. */
export function handshakeError(cause: Error & { readonly code?: string }): MillraceError {
  const [message, hint] = explain(cause);
  return new MillraceError({ code: "TLS_HANDSHAKE_FAILED", message, hint, recovery: "retry", cause });
}

function explain({ code = "", message }: Error & { readonly code?: string }): [message: string, hint: string] {
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|UNEXPECTED_MESSAGE|PACKET_LENGTH_TOO_LONG|BAD_RECORD_TYPE|RECORD_LAYER_FAILURE/.test(code)) return ["the other side does not speak TLS", "set security.ssl.internal.enabled on both sides"];
  if (/NO_CERTIFICATE|DID_NOT_RETURN_A_CERTIFICATE|CERTIFICATE_REQUIRED/.test(code)) return ["the other side showed no certificate of the cluster's CA", "make it one with `millrace cert NAME --internal`"];
  if (/UNABLE_TO_VERIFY|SELF_SIGNED|UNKNOWN_CA|UNABLE_TO_GET_ISSUER/.test(code)) return ["the certificate was signed by another CA than the cluster's", "all certificates of a cluster are made with one CA, and security.ssl.internal.ca names it"];
  if (/EXPIRED/.test(code)) return ["the certificate has expired", "make a new one with `millrace cert NAME --internal`"];
  if (/NOT_YET_VALID/.test(code)) return ["the certificate is not valid yet", "compare the clocks of the two machines"];
  if (/TIMEOUT/.test(code)) return ["the TLS handshake was not finished in time", "check that the other side speaks TLS, too"];
  if (/ECONNRESET|EPIPE/.test(code)) return ["the other side closed the connection during the TLS handshake", "check that it speaks TLS, too, and that both certificates come from the cluster's CA"];
  return [`TLS could not be agreed on: ${message}`, "check that both sides run Millrace with TLS, and certificates of one CA"];
}
