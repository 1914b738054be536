import { EntryMaker, type Entry } from "./check/entries.js";
import type { Input } from "./ends/ends.js";
import { Interrupted, sleep } from "./world/waiting.js";

const EVERY_MS = 500;

/** Writes input at an even pace, and knows all of it. */
export class Feeder {
  readonly #input: Input;
  readonly #maker: EntryMaker;
  readonly #perTurn: number;
  readonly #signal: AbortSignal;
  /** Everything that was written, in order. */
  readonly entries: Entry[] = [];
  #isRunning = false;
  #feeding: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(input: Input, random: () => number, ratePerSecond: number, signal: AbortSignal) {
    this.#input = input;
    this.#maker = new EntryMaker(random);
    this.#perTurn = Math.max(1, Math.round((ratePerSecond * EVERY_MS) / 1000));
    this.#signal = signal;
  }

  /** One piece; resolves when it is there. */
  async feedOnce(): Promise<void> {
    const piece = Array.from({ length: this.#perTurn }, () => this.#maker.next());
    this.entries.push(...piece);
    await this.#input.write(piece);
  }

  start(): void {
    this.#isRunning = true;
    this.#feeding = this.#feed();
  }

  /** Resolves when all is written. @throws what has failed */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#feeding;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #feed(): Promise<void> {
    try {
      while (this.#isRunning) {
        await sleep(EVERY_MS, this.#signal);
        await this.feedOnce();
      }
    } catch (error) {
      if (!(error instanceof Interrupted)) this.#failure = error;
    }
  }
}
