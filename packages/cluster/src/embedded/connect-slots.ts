import { MessageChannel } from "node:worker_threads";
import type { SocketPeer } from "@millrace/runtime";
import type { SlotWorker } from "./slot-worker.js";

/** A slot and its number within the job. */
export interface NumberedSlot {
  readonly slotIndex: number;
  readonly worker: SlotWorker;
}

/** Gives two slots of one kind the ends of a channel between them: memory between threads, a socket between processes, on which the first listens by now. */
export function connectSlots(epoch: number, a: NumberedSlot, b: NumberedSlot): void {
  if (a.worker.kind === "thread") {
    const { port1, port2 } = new MessageChannel();
    a.worker.post({ type: "connect", epoch, peerSlot: b.slotIndex, port: port1 }, [port1]);
    b.worker.post({ type: "connect", epoch, peerSlot: a.slotIndex, port: port2 }, [port2]);
    return;
  }
  a.worker.post({ type: "connect", epoch, peerSlot: b.slotIndex, port: { kind: "socket", peerSlot: b.slotIndex, address: undefined } satisfies SocketPeer });
  b.worker.post({ type: "connect", epoch, peerSlot: a.slotIndex, port: { kind: "socket", peerSlot: a.slotIndex, address: a.worker.localAddress } satisfies SocketPeer });
}
