import type { Clock } from "@millrace/core";
import type { OutputPressure } from "../exchange/output-channel.js";

const CLOCK_EVERY = 64;
/** The most looks at the clock in one turn, whatever it says: a simulated one may stand still. */
const MOST_LOOKS = 64;

/** One turn of a task: how long it may go on, and whether something else wants it to stop earlier. */
export class Turn {
  readonly interrupted: () => boolean;
  readonly #clock: Clock;
  readonly #pressure: OutputPressure;
  #deadlineMs = 0;
  #asked = 0;
  #looks = 0;

  constructor(clock: Clock, pressure: OutputPressure) {
    this.#clock = clock;
    this.#pressure = pressure;
    this.interrupted = () => this.#pressure.blockedChannels > 0 || (++this.#asked % CLOCK_EVERY === 0 && this.over);
  }

  begin(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    this.#looks = 0;
  }

  /** Asked after every chunk. */
  get over(): boolean {
    return this.overAt(this.#clock.monotonicMs());
  }

  /** The same for one who has just looked at the clock. */
  overAt(nowMs: number): boolean {
    return ++this.#looks > MOST_LOOKS || nowMs >= this.#deadlineMs;
  }

  get blocked(): boolean {
    return this.#pressure.blockedChannels > 0;
  }
}
