import { MillraceError, type ConnectionPeer } from "@millrace/core";
import { isRole, mayActAs, type Role } from "./roles.js";

/** The OU of certificates that belong to processes of the cluster rather than to people. */
export const INTERNAL_UNIT = "internal";

/** What a peer at an internal port may be: a process of the cluster, or a client with a role. */
export type PeerRole = Role | typeof INTERNAL_UNIT;

/** Without TLS the port is on loopback, and everybody there may do everything. A certificate without a role may only look, as at the REST API. */
export function roleOfPeer(peer: ConnectionPeer | undefined): PeerRole {
  const certificate = peer?.certificate;
  if (certificate === undefined || certificate.unit === INTERNAL_UNIT) return INTERNAL_UNIT;
  return certificate.unit !== undefined && isRole(certificate.unit) ? certificate.unit : "viewer";
}

/** @throws `PEER_NOT_ALLOWED` */
export function requireInternal(peer: ConnectionPeer | undefined, what: string): void {
  if (roleOfPeer(peer) === INTERNAL_UNIT) return;
  throw new MillraceError({
    code: "PEER_NOT_ALLOWED", message: `"${peer?.certificate?.name}" may not be ${what}: its certificate was made for a person, not for a process of the cluster`,
    hint: "processes need certificates made by `millrace cert NAME --internal`",
  });
}

/** @throws `PEER_NOT_ALLOWED` */
export function requireRole(role: PeerRole, needed: Role, what: string): void {
  if (role === INTERNAL_UNIT || mayActAs(role, needed)) return;
  throw new MillraceError({ code: "PEER_NOT_ALLOWED", message: `a ${role} may not ${what}: that takes a ${needed}`, hint: `ask for a certificate made with --role ${needed}` });
}
