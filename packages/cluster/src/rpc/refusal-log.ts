import type { Clock, LogSink } from "@millrace/core";

const WINDOW_MS = 10_000;
const MOST_LINES = 20;

/** Logs connections that were refused, with where they came from; of a flood only the first of every ten seconds, and how many the others were. */
export class RefusalLog {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #log: LogSink;
  #windowMs = Number.NEGATIVE_INFINITY;
  #inWindow = 0;

  constructor({ clock, log }: { readonly clock: Pick<Clock, "monotonicMs">; readonly log: LogSink }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @param address where the connection comes from */
  write(address: string | undefined, what: string, error: Error & { readonly code?: string }): void {
    const now = this.#clock.monotonicMs();
    if (now - this.#windowMs >= WINDOW_MS) {
      if (this.#inWindow > MOST_LINES) this.#log.write("warn", `${this.#inWindow - MOST_LINES} more connections were refused`);
      this.#windowMs = now;
      this.#inWindow = 0;
    }
    this.#inWindow++;
    if (this.#inWindow <= MOST_LINES) this.#log.write("warn", `a connection${address === undefined ? "" : ` from ${address}`} ${what}: ${error.message}${error.code === undefined ? "" : ` [${error.code}]`}`);
  }
}
