import type { Clock } from "@millrace/core";
import type { OutputPressure } from "../exchange/output-channel.js";

const CLOCK_EVERY = 64;

/** One turn of a task: how long it may go on, and whether something else wants it to stop earlier. */
export class Turn {
  deadlineMs: number;
  readonly interrupted: () => boolean;
  readonly #clock: Clock;
  readonly #pressure: OutputPressure;
  #asked = 0;

  constructor(clock: Clock, pressure: OutputPressure) {
    this.#clock = clock;
    this.#pressure = pressure;
    this.deadlineMs = 0;
    this.interrupted = () => this.#pressure.blockedChannels > 0 || (++this.#asked % CLOCK_EVERY === 0 && this.over);
  }

  get over(): boolean {
    return this.#clock.monotonicMs() >= this.deadlineMs;
  }

  get blocked(): boolean {
    return this.#pressure.blockedChannels > 0;
  }
}
