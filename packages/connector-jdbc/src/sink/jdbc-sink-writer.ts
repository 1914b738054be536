import { isMillraceError } from "@millrace/core";
import type { Cancellable, CommittingSinkWriter, Counter, SinkWriterContext, StatefulSinkWriter } from "@millrace/core";
import type { ConnectionPool } from "../connection/connection-pool.js";
import { ChangeBatch } from "./change-batch.js";
import type { RowChange } from "./change-batch.js";
import type { JdbcSinkSettings } from "./jdbc-sink-options.js";
import type { TableLayout } from "./table-layout.js";
import type { JdbcCommittable, TransactionTarget } from "./transaction-target.js";
import type { WriteTarget } from "./write-target.js";

export interface WriterParts<T> {
  readonly settings: JdbcSinkSettings<T>;
  readonly pool: ConnectionPool;
  readonly layout: TableLayout<T>;
  readonly target: WriteTarget;
  /** The same as `target` for exactly-once. */
  readonly transactions: TransactionTarget | undefined;
}

/** Writes one subtask's records in batches: one is under way while the next fills. Flink: JdbcOutputFormat, JdbcWriter. */
export class JdbcSinkWriter<T> implements CommittingSinkWriter<T, JdbcCommittable>, StatefulSinkWriter<T, never> {
  readonly #context: SinkWriterContext;
  readonly #parts: WriterParts<T>;
  readonly #batch: ChangeBatch;
  readonly #sent: Counter;
  readonly #errors: Counter;
  #sendTimeMs: number = 0;
  #underWay: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #timer: Cancellable | undefined;

  constructor(context: SinkWriterContext, parts: WriterParts<T>) {
    this.#context = context;
    this.#parts = parts;
    this.#batch = new ChangeBatch(parts.layout as TableLayout<never>);
    this.#sent = context.metrics.counter("numRecordsSend");
    this.#errors = context.metrics.counter("numRecordsSendErrors");
    context.metrics.gauge("currentSendTime", () => this.#sendTimeMs);
  }

  write(value: T): void | Promise<void> {
    const { settings, layout } = this.#parts;
    const kind = settings.rowKind === undefined ? "+I" : settings.rowKind(value);
    // Where rows are told by key, what a row was before its update does not matter.
    if (kind === "-U") return undefined;
    try {
      this.#batch.add(kind === "-D" ? { row: layout.keyOnly(value), isDelete: true } : { row: layout.rowOf(value), isDelete: false });
    } catch (error) {
      this.#errors.inc();
      throw error;
    }
    if (this.#batch.size >= settings.batchSize) return this.#send();
    if (this.#timer === undefined && settings.batchIntervalMs > 0) this.#timer = this.#context.registerTimer(settings.batchIntervalMs, () => this.#timeIsUp());
    return undefined;
  }

  async flush(): Promise<void> {
    await this.#send();
    await this.#written();
  }

  async prepareCommit(): Promise<readonly JdbcCommittable[]> {
    return (await this.#parts.transactions?.prepare()) ?? [];
  }

  snapshotState(checkpointId: number): readonly never[] {
    this.#parts.transactions?.snapshotTaken(checkpointId);
    return [];
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    // What is under way must not be committed after this: with its transaction it is given up.
    await this.#parts.transactions?.close();
    await this.#parts.pool.close();
    await this.#underWay;
  }

  #timeIsUp(): Promise<void> {
    this.#timer = undefined;
    return this.flush();
  }

  /** Begins to write the batch, once the one before it is written. */
  async #send(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#written();
    // From here on without a pause: a timer may send at the same time.
    const changes = this.#batch.take();
    if (changes.length > 0) this.#underWay = this.#write(changes);
  }

  async #write(changes: readonly RowChange[]): Promise<void> {
    const beginMs = Date.now();
    try {
      await this.#parts.target.write(changes);
      this.#sendTimeMs = Date.now() - beginMs;
      this.#sent.inc(changes.length);
    } catch (error) {
      this.#errors.inc(isMillraceError(error) && error.code === "JDBC_ROW_REFUSED" ? 1 : changes.length);
      this.#failure = { error };
    } finally {
      this.#underWay = undefined;
    }
  }

  /** Resolves when nothing is under way. @throws what the last write failed with */
  async #written(): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
