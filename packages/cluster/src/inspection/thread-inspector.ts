import { Worker } from "node:worker_threads";
import type { InspectorAnswers, InspectorReply, InspectorRequest } from "./inspector-protocol.js";

export const inspectorThreadUrl: string = new URL("./inspector-thread.js", import.meta.url).href;

/** So long it waits for the next question. */
const IDLE_MS = 30_000;
const MAX_HEAP_MB = 256;

type Answer<R extends InspectorRequest> = InspectorAnswers[R["kind"]];

/** Asks the inspector thread of this process, which is there only while it is needed. */
export class ThreadInspector {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 1;
  readonly #calls = new Map<number, { readonly resolve: (answer: any) => void; readonly reject: (error: Error) => void }>();

  ask<R extends InspectorRequest>(request: R): Promise<Answer<R>> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    return new Promise<Answer<R>>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, request });
    });
  }

  close(): void {
    clearTimeout(this.#idle);
    void this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL(inspectorThreadUrl), { name: "millrace inspector", execArgv: [], workerData: { millraceInspector: true }, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    worker.on("message", (reply: InspectorReply) => this.#settle(reply));
    worker.on("error", (error) => this.#ended(worker, error));
    worker.on("exit", () => this.#ended(worker, new Error("the inspector thread has ended")));
    worker.unref();
    return worker;
  }

  #settle({ id, answer, error }: InspectorReply): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call?.resolve(answer);
    else call?.reject(new Error(error));
    if (this.#calls.size > 0) return;
    this.#worker?.unref();
    this.#idle = setTimeout(() => void this.#worker?.terminate(), IDLE_MS);
    this.#idle.unref();
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}
