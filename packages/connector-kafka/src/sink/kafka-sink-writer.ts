import { MillraceError } from "@millrace/core";
import type { CommittingSinkWriter, Counter, SinkWriteContext, SinkWriterContext, StatefulSinkWriter } from "@millrace/core";
import { requireTopics } from "../client/kafka-client.js";
import type { KafkaClient } from "../client/kafka-client.js";
import { KafkaProducer } from "../client/kafka-producer.js";
import { answerError } from "../client/kafka-error.js";
import { InitProducerId } from "../protocol/transaction-apis.js";
import type { ProducerIdentity } from "../protocol/transaction-apis.js";
import { partitionOfKey } from "../records/murmur2.js";
import type { KafkaSinkSettings } from "./kafka-sink-options.js";
import type { KafkaCommittable, TransactionPool } from "./transaction-pool.js";
import { initTransactions } from "./transactions.js";

/** The writer's part of a checkpoint: the id of the transaction that is open after it, and must be aborted when the job goes back to it. */
export interface KafkaWriterState {
  readonly transactionalId: string;
  /** What of this writer a checkpoint is to commit: everything else it has begun must be aborted, too. Not in checkpoints of versions before this was known. */
  readonly prepared?: readonly string[];
}

/** How often the partitions of topics are counted anew. */
const METADATA_AGE_MS = 300_000;
const METADATA_LIMIT_MS = 60_000;
/** Records without a key stay in a partition for so long, so that its batches fill. */
const STICKY_RECORDS = 512;
/** A transaction's end is in the log of every partition it wrote to; so many are remembered, should one be deleted or cleaned. */
const WITNESSES = 3;

interface TopicPartitions {
  count: number;
  sticky: number;
  left: number;
}

/** Writes one subtask's records. With a pool of transactional ids, every snapshot ends a transaction; the next one begins with the next record. */
export class KafkaSinkWriter<T> implements CommittingSinkWriter<T, KafkaCommittable>, StatefulSinkWriter<T, KafkaWriterState> {
  readonly #settings: KafkaSinkSettings<T>;
  readonly #client: KafkaClient;
  readonly #context: SinkWriterContext;
  readonly #pool: TransactionPool | undefined;
  readonly #producer: KafkaProducer;
  readonly #topics = new Map<string, TopicPartitions>();
  readonly #errors: Counter;
  /** The id of the transaction to come, with its identity once it has one. */
  #transactionalId: string | undefined;
  #identity: ProducerIdentity | undefined;
  #isOpen: boolean = false;
  #metadataMs: number = 0;

  constructor(context: SinkWriterContext, settings: KafkaSinkSettings<T>, client: KafkaClient, pool: TransactionPool | undefined) {
    this.#context = context;
    this.#settings = settings;
    this.#client = client;
    this.#pool = pool;
    this.#producer = new KafkaProducer(client, settings.producer);
    this.#errors = context.metrics.counter("numRecordsOutErrors");
  }

  /** Takes an identity; what Kafka would refuse is refused now and not with the first record. */
  async open(): Promise<void> {
    const { topic } = this.#settings;
    if (typeof topic === "string") await this.#loadTopic(topic);
    if (this.#pool !== undefined) {
      this.#transactionalId = this.#pool.take();
      this.#identity = await initTransactions(this.#client, this.#transactionalId, this.#settings.transactionTimeoutMs);
      return;
    }
    const identity = await this.#client.retrying("a producer id", METADATA_LIMIT_MS, async () => {
      if (this.#client.brokerIds.length === 0) await this.#client.metadata([]);
      const answer = await this.#client.call(this.#client.brokerIds[0]!, InitProducerId, { transactionalId: null, transactionTimeoutMs: 0x7fffffff });
      if (answer.errorCode !== 0) throw answerError(answer.errorCode, "a producer id");
      return answer;
    });
    this.#producer.begin({ ...identity, transactionalId: null });
    this.#isOpen = true;
  }

  write(value: T, context: SinkWriteContext): void | Promise<void> {
    const { topic } = this.#settings;
    const name = typeof topic === "string" ? topic : topic(value);
    const partitions = this.#topics.get(name);
    if (this.#isOpen && partitions !== undefined && !this.#producer.isFull) return this.#append(name, partitions, value, context);
    const { timestamp, currentWatermark } = context;
    return this.#writeLater(name, value, { timestamp, currentWatermark });
  }

  async flush(endOfInput: boolean): Promise<void> {
    if (this.#settings.deliveryGuarantee === "none" && !endOfInput) return;
    await this.#producer.flush();
    if (Date.now() - this.#metadataMs > METADATA_AGE_MS) for (const topic of this.#topics.keys()) await this.#loadTopic(topic);
  }

  async prepareCommit(): Promise<readonly KafkaCommittable[]> {
    const pool = this.#pool;
    if (pool === undefined) return [];
    const sequence = pool.beginSnapshot();
    if (!this.#isOpen) return [];
    this.#isOpen = false;
    const { producerId, producerEpoch } = this.#identity!;
    const committable = { transactionalId: this.#transactionalId!, producerId: String(producerId), producerEpoch, sequence, written: this.#producer.written(WITNESSES) };
    pool.prepare(committable.transactionalId);
    this.#transactionalId = pool.take();
    this.#identity = undefined;
    return [committable];
  }

  snapshotState(): readonly KafkaWriterState[] {
    return this.#transactionalId === undefined ? [] : [{ transactionalId: this.#transactionalId, prepared: this.#pool!.prepared }];
  }

  close(): void {
    // An open transaction is not aborted here: who comes next does it, and until then nobody can take it for one that Kafka has given up.
    this.#client.close();
  }

  async #writeLater(name: string, value: T, context: SinkWriteContext): Promise<void> {
    await this.#producer.room();
    if (!this.#isOpen) {
      this.#identity ??= await initTransactions(this.#client, this.#transactionalId!, this.#settings.transactionTimeoutMs);
      this.#producer.begin({ ...this.#identity, transactionalId: this.#transactionalId! });
      this.#isOpen = true;
    }
    const partitions = this.#topics.get(name) ?? (await this.#loadTopic(name));
    this.#append(name, partitions, value, context);
  }

  #append(topic: string, partitions: TopicPartitions, value: T, context: SinkWriteContext): void {
    const settings = this.#settings;
    let key: Uint8Array | null;
    let content: Uint8Array | null;
    try {
      key = settings.key === undefined ? null : settings.key(value);
      content = settings.value(value);
    } catch (error) {
      this.#errors.inc();
      throw new MillraceError({ code: "KAFKA_RECORD_UNSERIALIZABLE", message: `a record for topic "${topic}" cannot be serialized: ${(error as Error).message}`, cause: error });
    }
    const timestampMs = settings.timestampMs === undefined ? (context.timestamp ?? this.#context.clock.nowMs()) : settings.timestampMs(value, context);
    this.#producer.append(topic, this.#partitionOf(topic, partitions, value, key), key, content, Math.max(0, Math.floor(timestampMs)), settings.headers?.(value));
  }

  #partitionOf(topic: string, partitions: TopicPartitions, value: T, key: Uint8Array | null): number {
    const choose = this.#settings.partition;
    if (choose !== undefined) {
      const chosen = choose(value, key, partitions.count);
      if (Number.isSafeInteger(chosen) && chosen >= 0 && chosen < partitions.count) return chosen;
      throw new MillraceError({ code: "KAFKA_PARTITION_NOT_FOUND", message: `the partitioner chose partition ${chosen} of topic "${topic}", which has ${partitions.count}`, location: { option: "partition" } });
    }
    if (key !== null) return partitionOfKey(key, partitions.count);
    if (partitions.left-- === 0) {
      partitions.sticky = (partitions.sticky + 1) % partitions.count;
      partitions.left = STICKY_RECORDS - 1;
    }
    return partitions.sticky;
  }

  async #loadTopic(topic: string): Promise<TopicPartitions> {
    const count = await this.#client.retrying(`the partitions of topic "${topic}"`, METADATA_LIMIT_MS, async () => {
      const response = await this.#client.metadata([topic]);
      requireTopics(response);
      return response.topics[0]!.partitions.length;
    });
    this.#metadataMs = Date.now();
    const known = this.#topics.get(topic);
    if (known !== undefined) {
      known.count = count;
      return known;
    }
    const partitions = { count, sticky: this.#context.subtaskIndex % count, left: STICKY_RECORDS };
    this.#topics.set(topic, partitions);
    return partitions;
  }
}
