import { pathToFileURL } from "node:url";
import { Configuration, SLOT_ISOLATION, allOptions, type LogSink } from "@millrace/core";
import type { CredentialSource } from "@millrace/env-node";
import type { SlotBinding, SlotEvent, SlotCommand } from "@millrace/runtime";
import type { HostedSlot, SlotHost, SlotOpening } from "../task-manager/slot-host.js";
import { connectSlots } from "./connect-slots.js";
import type { SlotKind } from "./slot-carrier.js";
import { SlotWorker, slotEntryUrl } from "./slot-worker.js";

export interface WorkerSlotHostOptions {
  /** As many workers are kept waiting, so that a job starts at once. */
  readonly numberOfSlots: number;
  readonly heapBytes: number;
  /** What slots are, unless a job asks for more isolation. */
  readonly kind: SlotKind;
  /** Where slots listen for slots of other TaskManagers. */
  readonly binding: SlotBinding;
  /** What slots show their peers, where they speak TLS. */
  readonly credentials: CredentialSource | undefined;
  readonly log: LogSink;
  /** The bundled library: the module that jobs import, and the one that slots start from. */
  readonly library: { readonly millrace: string; readonly slot: string } | undefined;
  readonly loadTimeoutMs: number;
}

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 30_000;

/** The slots of a TaskManager as worker threads or processes. Each job gets fresh ones; as many as there are slots are started ahead. */
export class WorkerSlotHost implements SlotHost {
  readonly #options: WorkerSlotHostOptions;
  readonly #open = new Set<WorkerSlot>();
  #warm: SlotWorker[] = [];
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  readonly #ignoreCredentials: (() => void) | undefined;

  constructor(options: WorkerSlotHostOptions) {
    this.#options = options;
    this.#ignoreCredentials = options.credentials?.onChange(() => this.#renew());
    this.#prewarm();
  }

  open(opening: SlotOpening, onEvent: (event: SlotEvent) => void): HostedSlot {
    const { artifactPath, usesLibrary, ...load } = opening;
    const entryUrl = this.#entryUrl(usesLibrary);
    const asked = Configuration.of(opening.jobGraph.config, allOptions).get(SLOT_ISOLATION) === "process" ? "process" : this.#options.kind;
    const at = this.#warm.findIndex((worker) => worker.entryUrl === entryUrl && worker.kind === asked);
    const worker = at < 0 ? this.#start(usesLibrary, asked) : this.#warm.splice(at, 1)[0]!;
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
    connectSlots(epoch, { slotIndex: slotA, worker: (a as WorkerSlot).worker }, { slotIndex: slotB, worker: (b as WorkerSlot).worker });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#ignoreCredentials?.();
    await Promise.all(this.#warm.splice(0).map((worker) => worker.terminate()));
  }

  /** Slots in use and workers that wait are together as many as there are slots. */
  #prewarm(): void {
    while (!this.#closed && this.#warm.length + this.#open.size < this.#options.numberOfSlots) {
      const worker = this.#start(this.#options.library !== undefined, this.#options.kind);
      this.#warm.push(worker);
      worker.dataPort.then(() => (this.#retryMs = FIRST_RETRY_MS), () => undefined);
      // One that dies while it waits is not offered.
      worker.onLost = () => {
        this.#warm = this.#warm.filter((other) => other !== worker);
        this.#replaceLater();
      };
    }
  }

  /** Workers that wait show what they were started with; those in use have made their connections. */
  #renew(): void {
    for (const worker of this.#warm.splice(0)) {
      worker.onLost = () => undefined;
      void worker.terminate();
    }
    this.#prewarm();
  }

  /** Later and later, so that slots that cannot start do not keep the machine busy. */
  #replaceLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#prewarm();
    }, this.#retryMs);
    this.#retryMs = Math.min(MAX_RETRY_MS, 2 * this.#retryMs);
  }

  #start(usesLibrary: boolean, kind: SlotKind): SlotWorker {
    const { heapBytes, binding, credentials, library, log } = this.#options;
    const worker = new SlotWorker(kind, { heapBytes, binding, credentials: credentials?.current, entryUrl: this.#entryUrl(usesLibrary), preloadUrl: usesLibrary ? library?.millrace : undefined });
    worker.onRefused = (line) => log.write("warn", line);
    return worker;
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
