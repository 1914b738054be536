import type { Duplex } from "node:stream";
import type { InspectorAnswers, InspectorReply, InspectorRequest } from "../inspection/inspector-protocol.js";

/** Asks the inspector thread of a slot's process, over a stream of its own: the process's main thread may be busy for ever. */
export class ProcessInspector {
  readonly #stream: Duplex;
  readonly #calls = new Map<number, { readonly resolve: (answer: any) => void; readonly reject: (error: Error) => void }>();
  #nextId = 1;
  /** Of a line whose end has not come. */
  #pieces: string[] = [];

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => this.#take(chunk));
    stream.on("error", () => undefined);
    stream.on("close", () => this.#closed());
  }

  ask<R extends InspectorRequest>(request: R): Promise<InspectorAnswers[R["kind"]]> {
    if (this.#stream.destroyed) return Promise.reject(gone());
    const id = this.#nextId++;
    return new Promise<InspectorAnswers[R["kind"]]>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#stream.write(`${JSON.stringify({ id, request })}\n`);
    });
  }

  #take(chunk: string): void {
    const [end, ...others] = chunk.split("\n") as [string, ...string[]];
    this.#pieces.push(end);
    if (others.length === 0) return;
    const lines = [this.#pieces.join(""), ...others];
    this.#pieces = [lines.pop()!];
    for (const line of lines) {
      const { id, answer, error } = JSON.parse(line) as InspectorReply;
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) call?.resolve(answer);
      else call?.reject(new Error(error));
    }
  }

  #closed(): void {
    for (const { reject } of this.#calls.values()) reject(gone());
    this.#calls.clear();
  }
}

function gone(): Error {
  return new Error("the slot's process has ended");
}
