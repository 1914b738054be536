import { ReaderAvailability } from "@millrace/core";
import type { Counter, InputStatus, ReaderOutput, SourceReader, SourceReaderContext } from "@millrace/core";
import { ConnectionPool } from "../connection/connection-pool.js";
import type { JdbcSourceSettings } from "./jdbc-source-options.js";
import type { JdbcSplit } from "./jdbc-split.js";
import { MALFORMED_ROWS, isAboutRow } from "./malformed-row.js";
import { SplitReader } from "./split-reader.js";
import type { FetchedRows } from "./split-reader.js";

/** One that is emitted, one that is fetched meanwhile. */
const OPEN_SPLITS = 2;

/** Reads splits one after the other; asks for the next as soon as one is fetched. Flink: JdbcSourceReader. */
export class JdbcSourceReader<T> implements SourceReader<T, JdbcSplit> {
  readonly #context: SourceReaderContext;
  readonly #settings: JdbcSourceSettings<T>;
  readonly #pool: ConnectionPool;
  readonly #paused = new Set<string>();
  readonly #errors: Counter;
  #splits: SplitReader<T>[] = [];
  #noMoreSplits: boolean = false;
  #isRequested: boolean = false;
  readonly #availability = new ReaderAvailability();

  constructor(context: SourceReaderContext, settings: JdbcSourceSettings<T>) {
    this.#context = context;
    this.#settings = settings;
    this.#pool = new ConnectionPool(settings.connection, OPEN_SPLITS);
    this.#errors = context.metrics.counter("numRecordsInErrors");
  }

  start(): void {}

  pollNext(output: ReaderOutput<T>): InputStatus {
    this.#availability.reset();
    for (;;) {
      this.#readAhead();
      const current = this.#splits.find(({ split }) => !this.#paused.has(split.splitId));
      if (current === undefined) return this.#splits.length === 0 && this.#noMoreSplits ? "end-of-input" : "nothing-available";
      const rows = this.#poll(current);
      if (rows === "wait") return "nothing-available";
      if (rows === "end") this.#finish(current, output);
      else if (rows.records.length > 0 || rows.malformed.length > 0) {
        this.#emit(rows, current.split.splitId, output);
        // At once: a snapshot that came before would have it read again.
        if (current.isDone) this.#finish(current, output);
        return "more-available";
      }
    }
  }

  available(): Promise<void> {
    return this.#availability.wait();
  }

  addSplits(splits: readonly JdbcSplit[]): void {
    this.#isRequested = false;
    for (const split of splits) this.#splits.push(new SplitReader(split, this.#settings, this.#pool, () => this.#availability.signal()));
    this.#availability.signal();
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true;
    this.#availability.signal();
  }

  snapshotState(): readonly JdbcSplit[] {
    return this.#splits.map(({ split }) => split);
  }

  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    for (const splitId of pause) this.#paused.add(splitId);
    for (const splitId of resume) this.#paused.delete(splitId);
    this.#availability.signal();
  }

  async close(): Promise<void> {
    for (const split of this.#splits) split.close();
    await this.#pool.close();
    this.#availability.signal();
  }

  #emit({ records, malformed }: FetchedRows<T>, splitId: string, output: ReaderOutput<T>): void {
    this.#errors.inc(malformed.length);
    if (this.#settings.onError === "side-output") for (const row of malformed) output.sideOutput(MALFORMED_ROWS.id, row);
    if (records.length > 0) output.forSplit(splitId).collectBatch(records, null);
  }

  #poll(current: SplitReader<T>): FetchedRows<T> | "wait" | "end" {
    try {
      return current.poll();
    } catch (error) {
      if (isAboutRow(error)) this.#errors.inc();
      throw error;
    }
  }

  #finish(current: SplitReader<T>, output: ReaderOutput<T>): void {
    this.#splits = this.#splits.filter((split) => split !== current);
    output.releaseSplit(current.split.splitId);
  }

  /** Opens the next split, or asks for one, once all rows of those before are in memory: not sooner, lest one reader hoards what others could read. */
  #readAhead(): void {
    for (const split of this.#splits.slice(0, OPEN_SPLITS)) {
      split.open();
      if (!split.isFetched) return;
    }
    if (this.#splits.length >= OPEN_SPLITS || this.#isRequested || this.#noMoreSplits) return;
    this.#isRequested = true;
    this.#context.sendSplitRequest();
  }
}
