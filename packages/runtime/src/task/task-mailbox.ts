import type { Mailbox } from "@millrace/core";
import { Deque } from "../exchange/deque.js";

/** The actions that wait for a task's thread. */
export class TaskMailbox implements Mailbox {
  readonly #mails = new Deque<() => void>();
  readonly #wake: () => void;
  #closed = false;
  /** While held, mails wait: between the start of a snapshot and its last operator nothing may change. */
  held = false;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  execute(action: () => void, _description: string): void {
    if (this.#closed) return;
    this.#mails.push(action);
    if (!this.held) this.#wake();
  }

  /** Runs what is there now; what the mails add waits for the next turn. @returns whether any mail ran. */
  drain(): boolean {
    if (this.held) return false;
    const count = this.#mails.length;
    for (let left = count; left > 0; left--) this.#mails.shift()!();
    return count > 0;
  }

  get hasMail(): boolean {
    return !this.held && this.#mails.length > 0;
  }

  close(): void {
    this.#closed = true;
    this.#mails.clear();
  }
}
