import type { Committer, Sink, SinkWriter, SinkWriterContext } from "@millrace/core";
import { KafkaClient } from "../client/kafka-client.js";
import { KafkaCommitter } from "./kafka-committer.js";
import { sinkSettings, upsertSettings } from "./kafka-sink-options.js";
import type { KafkaSinkOptions, KafkaSinkSettings, KafkaUpsertOptions } from "./kafka-sink-options.js";
import { KafkaSinkWriter } from "./kafka-sink-writer.js";
import type { KafkaWriterState } from "./kafka-sink-writer.js";
import { TransactionPool } from "./transaction-pool.js";
import type { KafkaCommittable } from "./transaction-pool.js";
import { TransactionalIds } from "./transactional-ids.js";
import { initTransactions, listOpenTransactions } from "./transactions.js";

/** What writer and committer of one subtask share. */
interface Subtask {
  pool: TransactionPool | undefined;
  ids: TransactionalIds | undefined;
  /** Transactions that were open when this attempt began. */
  wereOpen: Set<string>;
}

/**
 * Writes records to Kafka topics: at least once, or exactly once in transactions. Records of one subtask stay in order in each partition.
 *
 * Errors: `KAFKA_TOPIC_NOT_FOUND`, `KAFKA_PARTITION_NOT_FOUND`, `KAFKA_RECORD_UNSERIALIZABLE`, `KAFKA_RECORD_TOO_LARGE`, `KAFKA_DELIVERY_TIMEOUT`, `KAFKA_PRODUCER_FENCED`,
 * `KAFKA_TRANSACTION_TIMEOUT_TOO_LONG`, `KAFKA_TRANSACTION_LOST`, `KAFKA_TRANSACTION_UNKNOWN`, `KAFKA_UNREACHABLE`, `KAFKA_AUTHENTICATION_FAILED`, `KAFKA_AUTHORIZATION_FAILED`, `KAFKA_VERSION_UNSUPPORTED`,
 * `KAFKA_REQUEST_FAILED`. Needs Kafka 3.1 or later. Flink: KafkaSink.
 *
 * ```ts
 * const sink = KafkaSink.of<Alert>({
 *   bootstrapServers: "localhost:9092", topic: "alerts", key: (alert) => alert.account, value: JsonSchema.of<Alert>(),
 *   deliveryGuarantee: "exactly-once", transactionalIdPrefix: "alerts-job",
 * });
 * ```
 */
export class KafkaSink<T> implements Sink<T, KafkaCommittable, KafkaWriterState> {
  readonly description: string;
  readonly createCommitter?: (context: SinkWriterContext) => Committer<KafkaCommittable>;
  readonly #settings: KafkaSinkSettings<T>;
  /** Writer and committer of a subtask are made with the same context. */
  readonly #subtasks = new WeakMap<SinkWriterContext, Subtask>();

  private constructor(settings: KafkaSinkSettings<T>) {
    this.#settings = settings;
    this.description = `Kafka ${typeof settings.topic === "string" ? settings.topic : "topics by record"}`;
    if (settings.deliveryGuarantee === "exactly-once") this.createCommitter = (context) => this.#committer(context);
  }

  /** @throws `OPTION_INVALID` */
  static of<T>(options: KafkaSinkOptions<T>): KafkaSink<T> {
    return new KafkaSink(sinkSettings(options));
  }

  /**
   * Writes a table's changes: every record replaces what there was of its key, or deletes it (a tombstone). Who reads the topic takes the last record of each key;
   * a topic with `cleanup.policy=compact` forgets the others. Records of one key must come through one subtask: `keyBy` it before. Even at least once, the table is
   * right in the end. Flink: upsert-kafka. @throws `OPTION_INVALID`
   */
  static upserts<T>(options: KafkaUpsertOptions<T>): KafkaSink<T> {
    return new KafkaSink(upsertSettings(options));
  }

  createWriter(context: SinkWriterContext): Promise<SinkWriter<T>> {
    return this.restoreWriter(context, []);
  }

  async restoreWriter(context: SinkWriterContext, state: readonly KafkaWriterState[]): Promise<SinkWriter<T>> {
    const client = new KafkaClient(this.#settings.connection);
    try {
      await this.#settings.openFormats();
      const writer = new KafkaSinkWriter(context, this.#settings, client, await this.#openPool(context, client, state));
      await writer.open();
      return writer;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  async #openPool(context: SinkWriterContext, client: KafkaClient, state: readonly KafkaWriterState[]): Promise<TransactionPool | undefined> {
    const { deliveryGuarantee, transactionalIdPrefix: prefix } = this.#settings;
    if (deliveryGuarantee !== "exactly-once") return undefined;
    const ids = new TransactionalIds(prefix, context);
    const open = await listOpenTransactions(client, prefix);
    const subtask = this.#subtaskOf(context);
    // What was to come when the snapshot was taken is taken away from its writer even when it has not begun: that may live on yet.
    await this.#abort(client, [...new Set([...state.map(({ transactionalId }) => transactionalId), ...open.filter((id) => ids.isLeftover(id, state))])]);
    subtask.ids = ids;
    subtask.wereOpen = new Set(open);
    return (subtask.pool = new TransactionPool(ids));
  }

  async #abort(client: KafkaClient, transactionalIds: readonly string[]): Promise<void> {
    await Promise.all(transactionalIds.map((id) => initTransactions(client, id, this.#settings.transactionTimeoutMs)));
  }

  #committer(context: SinkWriterContext): Committer<KafkaCommittable> {
    const client = new KafkaClient(this.#settings.connection);
    const subtask = this.#subtaskOf(context);
    return new KafkaCommitter({
      client, pool: () => subtask.pool, onTransactionLost: this.#settings.onTransactionLost,
      warn: (line) => context.log("warn", line),
      firstCommitted: () => this.#cleanUp(client, subtask),
    });
  }

  /**
   * Once a checkpoint of this attempt is complete, everything that was restored is committed, in all subtasks. What is open yet was begun by attempts that are
   * gone: it would hold up readers until it times out.
   */
  async #cleanUp(client: KafkaClient, { ids, wereOpen }: Subtask): Promise<void> {
    const open = await listOpenTransactions(client, this.#settings.transactionalIdPrefix);
    await this.#abort(client, open.filter((id) => ids!.isLeftoverOfOthers(id, wereOpen.has(id))));
    wereOpen.clear();
  }

  #subtaskOf(context: SinkWriterContext): Subtask {
    let subtask = this.#subtasks.get(context);
    if (subtask === undefined) this.#subtasks.set(context, (subtask = { pool: undefined, ids: undefined, wereOpen: new Set() }));
    return subtask;
  }
}
