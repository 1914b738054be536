import type { PeerCredentials } from "@millrace/env-node";
import type { MillraceError } from "@millrace/core";
import type { InspectorAnswers, InspectorRequest } from "../inspection/inspector-protocol.js";
import type { SlotBinding, SlotCommand, SlotEvent } from "@millrace/runtime";
import type { SlotListening, SlotLoad, SlotRefused, SlotUses } from "./slot-protocol.js";

/** What keeps a slot apart from its parent and from other slots. */
export type SlotKind = "thread" | "process";

/** What a slot starts with. */
export interface SlotStart {
  readonly heapBytes: number;
  readonly entryUrl: string;
  /** A module that the job will most likely import. */
  readonly preloadUrl?: string | undefined;
  /** Where the slot listens for slots of other TaskManagers; without it, only where those of this machine need it to. */
  readonly binding?: SlotBinding | undefined;
  /** What the slot shows its peers, where they speak TLS. */
  readonly credentials?: PeerCredentials | undefined;
}

/** What a slot is told as it begins; the rest of {@link SlotStart} is its parent's. */
export type SlotBegin = Pick<SlotStart, "preloadUrl" | "credentials"> & {
  readonly binding: Partial<SlotBinding> | undefined;
  /** Of a thread's {@link ModuleGate}. */
  readonly gate?: SharedArrayBuffer;
};

export type SlotMessage = SlotEvent | SlotListening | SlotRefused | SlotUses;

/** Told by the carrier, never from inside a call. */
export interface SlotObserver {
  message(message: SlotMessage): void;
  /** The slot is gone by itself; may be called more than once. */
  lost(error: MillraceError): void;
}

/** The thread or process that a slot runs in. */
export interface SlotCarrier {
  /** Unix domain socket on which a process listens for others of this machine. */
  readonly path: string | undefined;
  /** Node's number of a thread of this process. */
  readonly threadId: number | undefined;
  /** Asks the inspector of the slot's own process. @throws when it has ended, or is no process */
  inspect<R extends InspectorRequest>(request: R): Promise<InspectorAnswers[R["kind"]]>;
  post(message: SlotCommand | SlotLoad, transfer: readonly import("node:worker_threads").TransferListItem[]): void;
  /** Stops the slot wherever it is; resolves when it has ended. */
  terminate(): Promise<void>;
}
