import { MillraceError, serializeError } from "@millrace/core";
import type { InspectorAnswers, InspectorRequest } from "../inspection/inspector-protocol.js";
import type { SlotUsage } from "../inspection/slot-usage.js";
import type { SlotAddress, SlotCommand, SlotEvent } from "@millrace/runtime";
import type { SlotCarrier, SlotKind, SlotStart } from "./slot-carrier.js";
import { startProcess } from "./slot-process.js";
import type { SlotLoad } from "./slot-protocol.js";
import { startThread } from "./slot-thread.js";

/** The module a slot starts with. */
export const slotEntryUrl: string = new URL("./slot-entry.js", import.meta.url).href;

const TERMINATION_TIMEOUT_MS = 10_000;

/** A slot's thread or process as its parent sees it. */
export class SlotWorker {
  readonly kind: SlotKind;
  readonly heapBytes: number;
  readonly entryUrl: string;
  /** Told what the slot says for the log of its TaskManager. */
  onRefused: ((line: string) => void) | undefined;
  /** What it said last that it uses. */
  usage: SlotUsage | undefined;
  /** The slot is gone by itself, whether or not it had a job. Called at most once, before its `slotFailed`. */
  onLost: (() => void) | undefined;
  readonly #carrier: SlotCarrier;
  readonly #host: string;
  readonly #dataPort: Promise<number>;
  #port = 0;
  #listening!: { readonly resolve: (port: number) => void; readonly reject: (error: unknown) => void };
  #handler: ((event: SlotEvent) => void) | undefined;
  #early: SlotEvent[] = [];
  #terminated: Promise<void> | undefined;
  #failed = false;
  #loading: NodeJS.Timeout | undefined;

  constructor(kind: SlotKind, start: SlotStart) {
    this.kind = kind;
    this.entryUrl = start.entryUrl;
    this.heapBytes = start.heapBytes;
    this.#host = start.binding?.host ?? "127.0.0.1";
    this.#dataPort = new Promise((resolve, reject) => {
      this.#listening = { resolve, reject };
    });
    this.#dataPort.catch(() => undefined);
    const begin = kind === "process" ? startProcess : startThread;
    this.#carrier = begin(start, {
      message: (message) => {
        if (message.type === "listening") this.#listening.resolve((this.#port = message.port));
        else if (message.type === "refused") this.onRefused?.(message.line);
        else if (message.type === "uses") this.usage = message.usage;
        else this.#emit(message);
      },
      lost: (error) => this.#fail(error),
    });
  }

  set onEvent(handler: (event: SlotEvent) => void) {
    this.#handler = handler;
    for (const event of this.#early.splice(0)) handler(event);
  }

  /** The TCP port the slot listens on, once it does. Only of one that was started to listen, or as a process. @throws what the slot died of before */
  get dataPort(): Promise<number> {
    return this.#dataPort;
  }

  /** Where slots of other processes of this machine reach this one, once it listens. */
  get localAddress(): SlotAddress {
    const { path } = this.#carrier;
    return path === undefined ? { host: this.#host, port: this.#port } : { host: `unix:${path}`, port: 0 };
  }

  /** Node's number of a slot that is a thread. */
  get threadId(): number | undefined {
    return this.#carrier.threadId;
  }

  /** Asks the inspector of a slot that is a process. */
  inspect<R extends InspectorRequest>(request: R): Promise<InspectorAnswers[R["kind"]]> {
    return this.#carrier.inspect(request);
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
    this.#carrier.post(message, transfer);
  }

  /** Stops the slot wherever it is, an endless loop included. @throws `SLOT_NOT_TERMINATED` when a thread is stuck in native code. */
  terminate(): Promise<void> {
    clearTimeout(this.#loading);
    this.#terminated ??= new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new MillraceError({
        code: "SLOT_NOT_TERMINATED", message: `a slot's ${this.kind === "thread" ? "worker thread does not stop: it is blocked in native code" : "process does not stop"}`, recovery: "restart",
      })), TERMINATION_TIMEOUT_MS);
      void this.#carrier.terminate().then(() => {
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
    this.onLost?.();
    this.#emit({ type: "slotFailed", error: serializeError(error) });
  }

  #emit(event: SlotEvent): void {
    clearTimeout(this.#loading);
    if (this.#handler === undefined) this.#early.push(event);
    else this.#handler(event);
  }
}
