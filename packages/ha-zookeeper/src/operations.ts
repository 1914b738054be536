import { MillraceError } from "@millrace/core";
import { JuteReader, JuteWriter } from "./jute.js";

/** The operations of ZooKeeper's protocol that elections and a store need. */
export const opCodes = { create: 1, delete: 2, exists: 3, getData: 4, setData: 5, ping: 11, getChildren: 8, check: 13, multi: 14, auth: 100, closeSession: -11 } as const;

/** Transaction ids with a meaning of their own. */
export const xids = { notification: -1, ping: -2, auth: -4 } as const;

export const errorCodes = {
  runtimeInconsistency: -2, connectionLoss: -4, noNode: -101, noAuth: -102, badVersion: -103, nodeExists: -110, notEmpty: -111, sessionExpired: -112, authFailed: -115, sessionMoved: -118,
} as const;

const errorNames = new Map<number, string>(Object.entries(errorCodes).map(([name, code]) => [code, name]));

/** ZooKeeper refused an operation; `zkCode` is its number, one of {@link errorCodes}. */
export class ZooKeeperError extends MillraceError {
  readonly zkCode: number;

  constructor(zkCode: number, path: string) {
    super({
      code: "ZOOKEEPER_FAILED", message: `ZooKeeper: ${errorNames.get(zkCode) ?? `error ${zkCode}`}${path === "" ? "" : ` at ${path}`}`,
      ...(zkCode === errorCodes.noAuth || zkCode === errorCodes.authFailed ? { hint: "high-availability.zookeeper.client.digest-auth must be the same for all processes of a cluster" } : { recovery: "retry" as const }),
    });
    this.zkCode = zkCode;
  }
}

export function isZooKeeperError(error: unknown, zkCode: number): boolean {
  return error instanceof ZooKeeperError && error.zkCode === zkCode;
}

/** How long a node lives: until it is deleted, or until its creator's session ends; sequential ones get a number appended. */
export type CreateMode = "persistent" | "ephemeral" | "ephemeral-sequential";
const modeFlags: Readonly<Record<CreateMode, number>> = { persistent: 0, ephemeral: 1, "ephemeral-sequential": 3 };

export interface Stat {
  readonly version: number;
  /** The session that owns an ephemeral node, else 0. */
  readonly ephemeralOwner: bigint;
}

/** One step of a transaction. A version of -1 matches any. */
export type MultiOp =
  | { readonly type: "check"; readonly path: string; readonly version: number }
  | { readonly type: "create"; readonly path: string; readonly data: Uint8Array; readonly mode: CreateMode }
  | { readonly type: "setData"; readonly path: string; readonly data: Uint8Array; readonly version: number }
  | { readonly type: "delete"; readonly path: string; readonly version: number };

export interface Acl {
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}
/** Anybody may do anything. */
export const openAcl: Acl = { permissions: 31, scheme: "world", id: "anyone" };
/** Only who is logged in as the creator may do anything. */
export const creatorAcl: Acl = { permissions: 31, scheme: "auth", id: "" };

export function writeCreate(writer: JuteWriter, path: string, data: Uint8Array, mode: CreateMode, acl: Acl): JuteWriter {
  return writer.string(path).buffer(data).int(1).int(acl.permissions).string(acl.scheme).string(acl.id).int(modeFlags[mode]);
}

export function writeMulti(writer: JuteWriter, ops: readonly MultiOp[], acl: Acl): JuteWriter {
  for (const op of ops) {
    writer.int(opCodes[op.type]).bool(false).int(-1);
    if (op.type === "create") writeCreate(writer, op.path, op.data, op.mode, acl);
    else if (op.type === "setData") writer.string(op.path).buffer(op.data).int(op.version);
    else writer.string(op.path).int(op.version);
  }
  return writer.int(-1).bool(true).int(-1);
}

/** Reads the answer to a transaction: throws the error of the step that failed. */
export function readMulti(reader: JuteReader, ops: readonly MultiOp[]): void {
  for (let step = 0; ; step++) {
    const type = reader.int();
    if (reader.bool()) return;
    const headerError = reader.int();
    if (type === -1) {
      const code = reader.int();
      // Steps before and after the failed one only say that they were undone.
      if (code !== 0 && code !== errorCodes.runtimeInconsistency) throw new ZooKeeperError(code, ops[step]?.path ?? "");
    } else if (type === opCodes.create) reader.string();
    else if (type === opCodes.setData) readStat(reader);
    else if (headerError !== 0) throw new ZooKeeperError(headerError, ops[step]?.path ?? "");
  }
}

export function readStat(reader: JuteReader): Stat {
  reader.long();
  reader.long();
  reader.long();
  reader.long();
  const version = reader.int();
  reader.int();
  reader.int();
  const ephemeralOwner = reader.long();
  reader.int();
  reader.int();
  reader.long();
  return { version, ephemeralOwner };
}
