import type { LogSink } from "@millrace/core";

export interface ReloadedInit<T> {
  /** For the log: `the certificate of …`. */
  readonly what: string;
  /** Reads the files, and finds everything that can be wrong with them. */
  readonly read: () => T;
  /** What the files hold, to tell whether it is other than before. */
  readonly textOf: (value: T) => string;
  /** How often to look; 0 is never. */
  readonly intervalMs: number;
  readonly log: LogSink;
}

/**
 * What is read from files, and looked at again and again. What can be used takes the place of what was there; what cannot be used is logged, once, and
 * changes nothing. Files are looked at rather than watched: those of a mounted secret are replaced by moving a link. Does not keep the process alive.
 */
export class Reloaded<T> {
  readonly #init: ReloadedInit<T>;
  readonly #listeners = new Set<(value: T) => void>();
  readonly #timer: NodeJS.Timeout | undefined;
  #current: T;
  #text: string;
  #problem = "";
  /** How often in a row. */
  #seen = 0;

  /** @throws what `read` throws */
  constructor(init: ReloadedInit<T>) {
    this.#init = init;
    this.#current = init.read();
    this.#text = init.textOf(this.#current);
    this.#timer = init.intervalMs > 0 ? setInterval(() => this.look(), init.intervalMs).unref() : undefined;
  }

  get current(): T {
    return this.#current;
  }

  /** Called with each new one. @returns stops that */
  onChange(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks now. */
  look(): void {
    const { what, read, textOf, log } = this.#init;
    let value: T;
    try {
      value = read();
    } catch (error) {
      const { message } = error as Error;
      // Files are replaced one after the other: only what is still so the next time is worth a word.
      this.#seen = message === this.#problem ? this.#seen + 1 : 1;
      this.#problem = message;
      if (this.#seen === 2) log.write("warn", `${what} was replaced, and the one before stays in use: ${message}`);
      return;
    }
    this.#problem = "";
    const text = textOf(value);
    if (text === this.#text) return;
    this.#current = value;
    this.#text = text;
    log.write("info", `${what} was replaced; new connections use it`);
    for (const listener of this.#listeners) listener(value);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }
}
