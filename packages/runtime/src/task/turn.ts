import type { Clock } from "@millrace/core";
import type { OutputPressure } from "../exchange/output-channel.js";

const CLOCK_EVERY = 64;
/** The most chunks in one turn, whatever the clock says: a simulated one may stand still. */
const MOST_CHUNKS = 64;

/** One turn of a task: how long it may go on, and whether something else wants it to stop earlier. */
export class Turn {
  readonly interrupted: () => boolean;
  readonly #clock: Clock;
  readonly #pressure: OutputPressure;
  #deadlineMs = 0;
  #asked = 0;
  #chunks = 0;

  constructor(clock: Clock, pressure: OutputPressure) {
    this.#clock = clock;
    this.#pressure = pressure;
    this.interrupted = () => this.#pressure.blockedChannels > 0 || (++this.#asked % CLOCK_EVERY === 0 && this.over);
  }

  begin(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    this.#chunks = 0;
  }

  /** Asked after every chunk. */
  get over(): boolean {
    return ++this.#chunks > MOST_CHUNKS || this.#clock.monotonicMs() >= this.#deadlineMs;
  }

  get blocked(): boolean {
    return this.#pressure.blockedChannels > 0;
  }
}
