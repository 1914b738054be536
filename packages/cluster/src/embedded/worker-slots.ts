import { setFlagsFromString } from "node:v8";
import { MessageChannel, Worker } from "node:worker_threads";
import { Configuration, MillraceError, SLOT_HEAP, allOptions, serializeError } from "@millrace/core";
import type { SlotCommand, SlotEvent } from "@millrace/runtime";
import type { AllocatedSlots, SlotProvider, SlotRequest } from "../scheduler/slot-provider.js";
import type { SlotLoad } from "./slot-protocol.js";

export interface WorkerSlotsOptions {
  readonly artifactUrl: string;
  readonly source: string;
  readonly args: readonly string[];
  /** What the worker threads start with; default {@link slotEntryUrl}. Must share its library with the artifact. */
  readonly entryUrl?: string | undefined;
  /** How long a slot may take to load the job's module, up to its `execute()`; default 60 s. */
  readonly loadTimeoutMs?: number | undefined;
}

/** The module a slot's worker thread starts with. */
export const slotEntryUrl: string = new URL("./slot-entry.js", import.meta.url).href;

/** Chains are long functions by design: V8's limits would leave their tails out of line. */
const V8_FLAGS = ["--max-inlined-bytecode-size=2000", "--max-inlined-bytecode-size-cumulative=8000"];
const TERMINATION_TIMEOUT_MS = 10_000;
const LOAD_TIMEOUT_MS = 60_000;

/**
 * Slots as worker threads, each with an isolate and a heap limit of its own, fresh for every attempt of the job. Workers started early with
 * {@link prewarm} are taken first.
 */
export class WorkerSlots implements SlotProvider {
  readonly oneSlot = false;
  #options: WorkerSlotsOptions | undefined;
  #warm: SlotWorker[] = [];
  static #flagsSet = false;

  /**
   * Starts workers before it is known what they will run, so that their start-up overlaps with planning. `preloadUrl` is a module that the job will
   * most likely import.
   */
  prewarm(count: number, preloadUrl?: string, entryUrl: string = slotEntryUrl): void {
    for (let i = 0; i < count; i++) this.#warm.push(startWorker(SLOT_HEAP.defaultValue, entryUrl, preloadUrl));
  }

  /** Must be called before the first allocation. */
  load(options: WorkerSlotsOptions): void {
    this.#options = options;
  }

  async allocate(request: SlotRequest): Promise<AllocatedSlots> {
    const { entryUrl = slotEntryUrl, loadTimeoutMs = LOAD_TIMEOUT_MS, ...options } = this.#options!;
    const heapBytes = Configuration.of(request.jobGraph.config, allOptions).get(SLOT_HEAP);
    const usable = this.#warm.filter((worker) => worker.heapBytes === heapBytes && worker.entryUrl === entryUrl).slice(0, request.numberOfSlots);
    const spare = this.#warm.filter((worker) => !usable.includes(worker));
    this.#warm = [];
    for (const worker of spare) void worker.terminate();
    const workers = Array.from({ length: request.numberOfSlots }, (_, slotIndex) => usable[slotIndex] ?? startWorker(heapBytes, entryUrl));
    workers.forEach((worker, slotIndex) => {
      worker.onEvent = (event) => request.onEvent(slotIndex, event);
      const load: SlotLoad = { type: "load", ...options, jobGraph: request.jobGraph };
      worker.load(load, loadTimeoutMs);
    });
    return new WorkerSlotSet(request.epoch, workers);
  }

  /** Stops workers that were started early and never used. */
  async close(): Promise<void> {
    const warm = this.#warm;
    this.#warm = [];
    await Promise.all(warm.map((worker) => worker.terminate()));
  }

  static setFlags(): void {
    if (WorkerSlots.#flagsSet) return;
    WorkerSlots.#flagsSet = true;
    for (const flag of V8_FLAGS) setFlagsFromString(flag);
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
        const { port1, port2 } = new MessageChannel();
        this.#workers[a]!.post({ type: "connect", epoch: this.#epoch, peerSlot: b, port: port1 }, [port1]);
        this.#workers[b]!.post({ type: "connect", epoch: this.#epoch, peerSlot: a, port: port2 }, [port2]);
      }
    }
  }

  release(): Promise<void> {
    this.#released ??= Promise.all(this.#workers.map((worker) => worker.terminate())).then(() => undefined);
    return this.#released;
  }
}

/** A slot's worker thread as its parent sees it. */
class SlotWorker {
  readonly heapBytes: number;
  readonly entryUrl: string;
  readonly #worker: Worker;
  #handler: ((event: SlotEvent) => void) | undefined;
  #early: SlotEvent[] = [];
  #terminated: Promise<void> | undefined;
  #failed = false;
  #loading: NodeJS.Timeout | undefined;

  constructor(worker: Worker, heapBytes: number, entryUrl: string) {
    this.#worker = worker;
    this.entryUrl = entryUrl;
    this.heapBytes = heapBytes;
    worker.on("message", (event: SlotEvent) => this.#emit(event));
    worker.on("error", (error: Error & { code?: string }) => this.#fail(lost(error, heapBytes)));
    worker.on("exit", (code) => this.#fail(new MillraceError({
      code: "SLOT_LOST", recovery: "restart", message: `a slot's worker thread exited with code ${code}`, hint: "functions must not call process.exit()",
    })));
  }

  set onEvent(handler: (event: SlotEvent) => void) {
    this.#handler = handler;
    for (const event of this.#early.splice(0)) handler(event);
  }

  /** Tells the slot what to load. Its first word means that it has. */
  load(message: SlotLoad, timeoutMs: number): void {
    this.#loading = setTimeout(() => this.#fail(new MillraceError({
      code: "SLOT_DEPLOYMENT_TIMEOUT", recovery: "restart", location: { file: message.source },
      message: `"${message.source}" did not call execute() within ${timeoutMs / 1000} s when a slot ran it again`,
      hint: "every slot runs the job's module: what it waits for must be there each time; work that takes long belongs into functions of the job or into env.once()",
    })), timeoutMs);
    this.post(message);
  }

  post(message: SlotCommand | SlotLoad, transfer: readonly import("node:worker_threads").TransferListItem[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Stops the thread wherever it is, an endless loop included. @throws `SLOT_NOT_TERMINATED` when it is stuck in native code. */
  terminate(): Promise<void> {
    clearTimeout(this.#loading);
    this.#terminated ??= new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new MillraceError({
        code: "SLOT_NOT_TERMINATED", message: "a slot's worker thread does not stop: it is blocked in native code", recovery: "restart",
      })), TERMINATION_TIMEOUT_MS);
      void this.#worker.terminate().then(() => {
        clearTimeout(timeout);
        resolve();
      });
    });
    return this.#terminated;
  }

  #fail(error: MillraceError): void {
    if (this.#failed || this.#terminated !== undefined) return;
    this.#failed = true;
    this.#emit({ type: "slotFailed", error: serializeError(error) });
  }

  #emit(event: SlotEvent): void {
    clearTimeout(this.#loading);
    if (this.#handler === undefined) this.#early.push(event);
    else this.#handler(event);
  }
}

function startWorker(heapBytes: number, entryUrl: string, preloadUrl?: string): SlotWorker {
  WorkerSlots.setFlags();
  const worker = new Worker(new URL(entryUrl), {
    execArgv: [], name: "millrace slot", workerData: { preloadUrl }, resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.floor(heapBytes / 1024 ** 2)) },
  });
  return new SlotWorker(worker, heapBytes, entryUrl);
}

function lost(error: Error & { code?: string }, heapBytes: number): MillraceError {
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new MillraceError({
      code: "SLOT_OUT_OF_MEMORY", recovery: "restart", cause: error,
      message: `a slot ran out of memory: its worker thread may use ${Math.floor(heapBytes / 1024 ** 2)} MiB of heap`,
      hint: `raise ${SLOT_HEAP.key}, or use more slots so that each holds less state`, location: { option: SLOT_HEAP.key },
    });
  }
  return new MillraceError({ code: "SLOT_LOST", recovery: "restart", message: `a slot's worker thread died: ${error.message}`, cause: error });
}
