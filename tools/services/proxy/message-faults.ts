/** What to do when the text is seen. `before`: the message does not arrive. `after`: it does, its answer does not. `hold`: it waits for `then`, then goes on. */
export interface MessageFault {
  readonly at: string;
  readonly how: "before" | "after" | "hold";
  /** Messages that hold the text and pass before the one that is meant. Default 0. */
  readonly skip?: number;
  /** Done when the message is seen; with `after`, when it was answered. */
  readonly then?: () => void | Promise<void>;
}

/** Faults at messages of the client that hold a certain text, each once, in the order in which they were planned. */
export class MessageFaults {
  #planned: { readonly fault: MessageFault; skip: number }[] = [];

  /** How many are still to come. */
  get pending(): number {
    return this.#planned.length;
  }

  plan(faults: readonly MessageFault[]): void {
    this.#planned.push(...faults.map((fault) => ({ fault, skip: fault.skip ?? 0 })));
  }

  /** The one that these bytes are meant for. */
  due(bytes: Buffer): MessageFault | undefined {
    const next = this.#planned[0];
    if (next === undefined || !bytes.includes(next.fault.at)) return undefined;
    if (next.skip-- > 0) return undefined;
    this.#planned.shift();
    return next.fault;
  }
}
