import type { SplitEnumerator, SplitEnumeratorContext } from "@millrace/core";
import { ConnectionPool } from "../connection/connection-pool.js";
import { findSplits } from "./find-splits.js";
import type { JdbcSourceSettings } from "./jdbc-source-options.js";
import type { JdbcEnumeratorState, JdbcSplit } from "./jdbc-split.js";

/** Cuts the query into splits when the job starts, and hands them out one by one as readers ask. Flink: JdbcSourceEnumerator. */
export class JdbcEnumerator implements SplitEnumerator<JdbcSplit, JdbcEnumeratorState> {
  readonly #context: SplitEnumeratorContext<JdbcSplit>;
  readonly #settings: JdbcSourceSettings<never>;
  readonly #waiting = new Set<number>();
  #pending: JdbcSplit[];
  #isReady: boolean;

  constructor(context: SplitEnumeratorContext<JdbcSplit>, settings: JdbcSourceSettings<never>, restored: JdbcEnumeratorState | undefined) {
    this.#context = context;
    this.#settings = settings;
    this.#pending = [...(restored?.pending ?? [])];
    // A restored source reads the splits it began with.
    this.#isReady = restored !== undefined;
    context.metrics.gauge("pendingSplits", () => this.#pending.length);
  }

  async start(): Promise<void> {
    if (this.#isReady) return;
    const pool = new ConnectionPool(this.#settings.connection, 1);
    try {
      this.#pending.push(...(await findSplits(pool, this.#settings)));
    } finally {
      await pool.close();
    }
    this.#isReady = true;
    this.#serve();
  }

  handleSplitRequest(subtask: number): void {
    this.#waiting.add(subtask);
    this.#serve();
  }

  addSplitsBack(splits: readonly JdbcSplit[], _subtask: number): void {
    this.#pending.unshift(...splits);
    this.#serve();
  }

  /** Readers ask by themselves. */
  addReader(_subtask: number): void {}

  snapshotState(): JdbcEnumeratorState {
    return { pending: [...this.#pending] };
  }

  #serve(): void {
    if (!this.#isReady) return;
    const registered = new Set(this.#context.registeredReaders());
    for (const subtask of this.#waiting) {
      this.#waiting.delete(subtask);
      // One that failed asks again when it is back.
      if (!registered.has(subtask)) continue;
      const split = this.#pending.shift();
      if (split === undefined) this.#context.signalNoMoreSplits(subtask);
      else this.#context.assignSplit(split, subtask);
    }
  }
}
