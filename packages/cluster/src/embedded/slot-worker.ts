import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { MillraceError, SLOT_HEAP, serializeError } from "@millrace/core";
import type { SlotCommand, SlotEvent } from "@millrace/runtime";
import type { SlotListening, SlotLoad } from "./slot-protocol.js";

/** The module a slot's worker thread starts with. */
export const slotEntryUrl: string = new URL("./slot-entry.js", import.meta.url).href;

/**
 * Chains are long functions by design: V8's own limits would leave their tails out of line. Much higher ones make each compilation of a chain take hundreds
 * of milliseconds, on a processor that the slots need, and a chain is compiled several times before it has seen all that happens in it.
 */
const V8_FLAGS = ["--max-inlined-bytecode-size=1000", "--max-inlined-bytecode-size-cumulative=2000"];
const TERMINATION_TIMEOUT_MS = 10_000;

/** What a slot's worker thread starts with. */
export interface SlotWorkerStart {
  readonly heapBytes: number;
  readonly entryUrl: string;
  /** A module that the job will most likely import. */
  readonly preloadUrl?: string | undefined;
  /** Address to listen on for slots of other processes; without it, the slot does not listen. */
  readonly dataHost?: string | undefined;
}

/** A slot's worker thread as its parent sees it. */
export class SlotWorker {
  readonly heapBytes: number;
  readonly entryUrl: string;
  readonly #worker: Worker;
  readonly #dataPort: Promise<number>;
  #listening!: { readonly resolve: (port: number) => void; readonly reject: (error: unknown) => void };
  #handler: ((event: SlotEvent) => void) | undefined;
  #early: SlotEvent[] = [];
  #terminated: Promise<void> | undefined;
  #failed = false;
  #loading: NodeJS.Timeout | undefined;

  constructor(worker: Worker, heapBytes: number, entryUrl: string) {
    this.#worker = worker;
    this.entryUrl = entryUrl;
    this.heapBytes = heapBytes;
    this.#dataPort = new Promise((resolve, reject) => {
      this.#listening = { resolve, reject };
    });
    this.#dataPort.catch(() => undefined);
    worker.on("message", (event: SlotEvent | SlotListening) => {
      if (event.type === "listening") this.#listening.resolve(event.port);
      else this.#emit(event);
    });
    worker.on("error", (error: Error & { code?: string }) => this.#fail(lost(error, heapBytes)));
    worker.on("exit", (code) => this.#fail(new MillraceError({
      code: "SLOT_LOST", recovery: "restart", message: `a slot's worker thread exited with code ${code}`, hint: "functions must not call process.exit()",
    })));
  }

  set onEvent(handler: (event: SlotEvent) => void) {
    this.#handler = handler;
    for (const event of this.#early.splice(0)) handler(event);
  }

  /** Where the slot listens, once it does. Only of one that was started with a `dataHost`. @throws what the thread died of before */
  get dataPort(): Promise<number> {
    return this.#dataPort;
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
    this.#listening.reject(error);
    this.#emit({ type: "slotFailed", error: serializeError(error) });
  }

  #emit(event: SlotEvent): void {
    clearTimeout(this.#loading);
    if (this.#handler === undefined) this.#early.push(event);
    else this.#handler(event);
  }
}

let flagsSet = false;

export function startWorker({ heapBytes, entryUrl, preloadUrl, dataHost }: SlotWorkerStart): SlotWorker {
  if (!flagsSet) for (const flag of V8_FLAGS) setFlagsFromString(flag);
  flagsSet = true;
  const worker = new Worker(new URL(entryUrl), {
    execArgv: [], name: "millrace slot", workerData: { preloadUrl, dataHost }, resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.floor(heapBytes / 1024 ** 2)) },
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
