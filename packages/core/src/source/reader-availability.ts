/**
 * What a source reader's `available()` waits for. Whoever has something for the reader calls {@link signal}; the reader calls {@link reset} before it looks, so
 * that what comes while it looks is not missed. One waits at a time.
 */
export class ReaderAvailability {
  #signalled: boolean = false;
  #waiting: (() => void) | undefined;

  reset(): void {
    this.#signalled = false;
  }

  signal(): void {
    this.#signalled = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  /** Resolves at the next signal since the last reset. */
  wait(): Promise<void> {
    if (this.#signalled) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting = resolve));
  }
}
