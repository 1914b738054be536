import type { JobModule } from "./job-module.js";

/** What the thread does, as both sides see it. */
const IDLE = 0;
const LOADING = 1;
const CLOSED = 2;

const POLL_MS = 1;
/** How long a thread is left alone that loads a module. */
const LOADING_LIMIT_MS = 1000;

/**
 * Keeps a thread from being terminated in the moment in which it begins to run a module with top-level await. V8 up to 11 (Node 20) then ends the whole process
 * (`Check failed: (location_) != nullptr` in `SourceTextModule::ExecuteAsyncModule`), with all other threads. Modules without top-level await are safe, so the
 * modules that threads start from have none.
 */
export class ModuleGate {
  /** For the other side's gate. */
  readonly shared: SharedArrayBuffer;
  readonly #state: Int32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#state = new Int32Array(shared);
  }

  /** In the thread: loads a job's module. Never settles once the gate is closed: the thread is about to end. */
  async load(importModule: () => Promise<JobModule>): Promise<JobModule> {
    if (Atomics.compareExchange(this.#state, 0, IDLE, LOADING) === CLOSED) return new Promise(() => undefined);
    try {
      return await importModule();
    } finally {
      this.running();
    }
  }

  /** In the thread: the module's own code runs. */
  running(): void {
    Atomics.compareExchange(this.#state, 0, LOADING, IDLE);
  }

  /**
   * In the parent, before the thread is terminated: waits until no module is being loaded, and lets none be loaded any more. One that takes longer than the limit
   * waits for something in its own code, or hangs in it: that can be terminated.
   * @param pause resolves after so many milliseconds
   */
  async close(pause: (ms: number) => Promise<unknown>, limitMs: number = LOADING_LIMIT_MS): Promise<void> {
    for (let waitedMs = 0; waitedMs < limitMs; waitedMs += POLL_MS) {
      if (Atomics.compareExchange(this.#state, 0, IDLE, CLOSED) !== LOADING) return;
      await pause(POLL_MS);
    }
  }
}
