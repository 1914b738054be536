import { randomBytes } from "node:crypto";
import { Configuration, SLOT_HEAP, SLOT_ISOLATION, allOptions } from "@millrace/core";
import type { SlotCommand } from "@millrace/runtime";
import type { AllocatedSlots, SlotProvider, SlotRequest } from "../scheduler/slot-provider.js";
import type { SlotLoad } from "./slot-protocol.js";
import type { SlotKind } from "./slot-carrier.js";
import { connectSlots } from "./connect-slots.js";
import { SlotWorker, slotEntryUrl } from "./slot-worker.js";

export interface WorkerSlotsOptions {
  readonly artifactUrl: string;
  readonly source: string;
  readonly args: readonly string[];
  /** What the slots start with; default `slotEntryUrl`. Must share its library with the artifact. */
  readonly entryUrl?: string | undefined;
  /** How long a slot may take to load the job's module, up to its `execute()`; default 60 s. */
  readonly loadTimeoutMs?: number | undefined;
}

const LOAD_TIMEOUT_MS = 60_000;

/**
 * Slots as worker threads or processes, each with an isolate and a heap limit of its own, fresh for every attempt of the job. Workers started early
 * with {@link prewarm} are taken first.
 */
export class WorkerSlots implements SlotProvider {
  readonly oneSlot = false;
  #options: WorkerSlotsOptions | undefined;
  #warm: SlotWorker[] = [];

  /**
   * Starts workers before it is known what they will run, so that their start-up overlaps with planning. `preloadUrl` is a module that the job will
   * most likely import.
   */
  prewarm(count: number, preloadUrl?: string, entryUrl: string = slotEntryUrl, kind: SlotKind = "thread"): void {
    for (let i = 0; i < count; i++) this.#warm.push(new SlotWorker(kind, { heapBytes: SLOT_HEAP.defaultValue, entryUrl, preloadUrl }));
  }

  /** Must be called before the first allocation. */
  load(options: WorkerSlotsOptions): void {
    this.#options = options;
  }

  async allocate(request: SlotRequest): Promise<AllocatedSlots> {
    const { entryUrl = slotEntryUrl, loadTimeoutMs = LOAD_TIMEOUT_MS, ...options } = this.#options!;
    const config = Configuration.of(request.jobGraph.config, allOptions);
    const heapBytes = config.get(SLOT_HEAP);
    const kind = config.get(SLOT_ISOLATION) === "process" ? "process" : "thread";
    const usable = this.#warm.filter((worker) => worker.kind === kind && worker.heapBytes === heapBytes && worker.entryUrl === entryUrl).slice(0, request.numberOfSlots);
    const spare = this.#warm.filter((worker) => !usable.includes(worker));
    this.#warm = [];
    for (const worker of spare) void worker.terminate();
    const workers = Array.from({ length: request.numberOfSlots }, (_, slotIndex) => usable[slotIndex] ?? new SlotWorker(kind, { heapBytes, entryUrl }));
    const secret = randomBytes(16).toString("hex");
    workers.forEach((worker, slotIndex) => {
      worker.onEvent = (event) => request.onEvent(slotIndex, event);
      const load: SlotLoad = { type: "load", ...options, jobGraph: request.jobGraph, ...(kind === "thread" ? {} : { identity: { slotIndex, secret } }) };
      worker.load(load, loadTimeoutMs);
    });
    const slots = new WorkerSlotSet(request.epoch, workers);
    // Processes reach each other by address.
    if (kind === "process") await Promise.all(workers.map((worker) => worker.dataPort)).catch(async (error: unknown) => {
      await slots.release();
      throw error;
    });
    return slots;
  }

  /** Stops workers that were started early and never used. */
  async close(): Promise<void> {
    const warm = this.#warm;
    this.#warm = [];
    await Promise.all(warm.map((worker) => worker.terminate()));
  }
}

class WorkerSlotSet implements AllocatedSlots {
  readonly #epoch: number;
  readonly #workers: readonly SlotWorker[];
  #released: Promise<void> | undefined;

  constructor(epoch: number, workers: readonly SlotWorker[]) {
    this.#epoch = epoch;
    this.#workers = workers;
  }

  send(slotIndex: number, command: SlotCommand): void {
    this.#workers[slotIndex]!.post(command);
  }

  connectAll(): void {
    for (let a = 0; a < this.#workers.length; a++) {
      for (let b = a + 1; b < this.#workers.length; b++) {
        connectSlots(this.#epoch, { slotIndex: a, worker: this.#workers[a]! }, { slotIndex: b, worker: this.#workers[b]! });
      }
    }
  }

  release(): Promise<void> {
    this.#released ??= Promise.all(this.#workers.map((worker) => worker.terminate())).then(() => undefined);
    return this.#released;
  }
}
