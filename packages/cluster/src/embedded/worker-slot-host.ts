import { pathToFileURL } from "node:url";
import { MessageChannel } from "node:worker_threads";
import type { SlotEvent, SlotCommand } from "@millrace/runtime";
import type { HostedSlot, SlotHost, SlotOpening } from "../task-manager/slot-host.js";
import { SlotWorker, slotEntryUrl, startWorker } from "./slot-worker.js";

export interface WorkerSlotHostOptions {
  /** As many workers are kept waiting, so that a job starts at once. */
  readonly numberOfSlots: number;
  readonly heapBytes: number;
  /** Address that the slots listen on. */
  readonly dataHost: string;
  /** The bundled library: the module that jobs import, and the one that slots start from. */
  readonly library: { readonly millrace: string; readonly slot: string } | undefined;
  readonly loadTimeoutMs: number;
}

/** The slots of a TaskManager as worker threads. Each job gets fresh ones; as many as there are slots are started ahead. */
export class WorkerSlotHost implements SlotHost {
  readonly #options: WorkerSlotHostOptions;
  readonly #open = new Set<WorkerSlot>();
  #warm: SlotWorker[] = [];
  #closed = false;

  constructor(options: WorkerSlotHostOptions) {
    this.#options = options;
    this.#prewarm();
  }

  open(opening: SlotOpening, onEvent: (event: SlotEvent) => void): HostedSlot {
    const { artifactPath, usesLibrary, ...load } = opening;
    const entryUrl = this.#entryUrl(usesLibrary);
    const at = this.#warm.findIndex((worker) => worker.entryUrl === entryUrl);
    const worker = at < 0 ? this.#start(usesLibrary) : this.#warm.splice(at, 1)[0]!;
    const slot = new WorkerSlot(worker, () => {
      this.#open.delete(slot);
      this.#prewarm();
    });
    this.#open.add(slot);
    worker.onEvent = onEvent;
    worker.load({ type: "load", artifactUrl: pathToFileURL(artifactPath).href, ...load }, this.#options.loadTimeoutMs);
    return slot;
  }

  connect(epoch: number, a: HostedSlot, slotA: number, b: HostedSlot, slotB: number): void {
    const { port1, port2 } = new MessageChannel();
    (a as WorkerSlot).worker.post({ type: "connect", epoch, peerSlot: slotB, port: port1 }, [port1]);
    (b as WorkerSlot).worker.post({ type: "connect", epoch, peerSlot: slotA, port: port2 }, [port2]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#warm.splice(0).map((worker) => worker.terminate()));
  }

  /** Slots in use and workers that wait are together as many as there are slots. */
  #prewarm(): void {
    while (!this.#closed && this.#warm.length + this.#open.size < this.#options.numberOfSlots) {
      const worker = this.#start(this.#options.library !== undefined);
      this.#warm.push(worker);
      // One that dies while it waits is not offered.
      worker.dataPort.catch(() => {
        this.#warm = this.#warm.filter((other) => other !== worker);
      });
    }
  }

  #start(usesLibrary: boolean): SlotWorker {
    const { heapBytes, dataHost, library } = this.#options;
    return startWorker({ heapBytes, dataHost, entryUrl: this.#entryUrl(usesLibrary), preloadUrl: usesLibrary ? library?.millrace : undefined });
  }

  #entryUrl(usesLibrary: boolean): string {
    return usesLibrary ? (this.#options.library?.slot ?? slotEntryUrl) : slotEntryUrl;
  }
}

class WorkerSlot implements HostedSlot {
  readonly worker: SlotWorker;
  readonly #onTerminated: () => void;
  #terminated: Promise<void> | undefined;

  constructor(worker: SlotWorker, onTerminated: () => void) {
    this.worker = worker;
    this.#onTerminated = onTerminated;
  }

  get dataPort(): Promise<number> {
    return this.worker.dataPort;
  }

  send(command: SlotCommand): void {
    this.worker.post(command);
  }

  terminate(): Promise<void> {
    this.#terminated ??= this.worker.terminate().then(this.#onTerminated);
    return this.#terminated;
  }
}
