import { MillraceError } from "@millrace/core";
import { errorName } from "../protocol/error-code.js";
import { Produce } from "../protocol/produce-api.js";
import { byTopic } from "../protocol/topic-partitions.js";
import { AddPartitionsToTxn } from "../protocol/transaction-apis.js";
import type { ProducerIdentity } from "../protocol/transaction-apis.js";
import type { CompressionType } from "../records/compression.js";
import { RecordBatchBuilder } from "../records/record-batch-builder.js";
import type { RecordHeader } from "../records/record-batch-builder.js";
import type { KafkaClient } from "./kafka-client.js";
import { TransientKafkaError, answerError } from "./kafka-error.js";

/** How batches are made and how long they are tried; see the options of a sink. */
export interface ProducerSettings {
  readonly compression: CompressionType;
  readonly batchSizeBytes: number;
  readonly bufferMemoryBytes: number;
  readonly deliveryTimeoutMs: number;
}

/** Who writes: within a transaction, or idempotent only. */
export interface ProducerSession extends ProducerIdentity {
  readonly transactionalId: string | null;
}

/** A place in the log. */
export interface LogPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface Batch {
  readonly bytes: Buffer;
  readonly size: number;
  readonly deadlineMs: number;
}

/** The batches of one partition, in order. */
class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  builder: RecordBatchBuilder | undefined;
  /** Sealed ones; the first may be on its way. */
  readonly batches: Batch[] = [];
  isSending: boolean = false;
  isInTransaction: boolean = false;
  sequence: number = 0;
  /** Where the newest batch of this session is; -1 when that is not known. */
  lastOffset: number = -1;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }
}

const RETRY_PAUSE_MS = 100;
const MAX_SEQUENCE = 2 ** 31;

/**
 * Writes records to partitions in order, in batches: one request at a time to each broker, in which every partition it leads has at most one batch, so that what
 * comes meanwhile makes the next batch. A batch that fails in a way that passes is sent again with its sequence number, and brokers drop the second one.
 */
export class KafkaProducer {
  readonly #client: KafkaClient;
  readonly #settings: ProducerSettings;
  readonly #queues = new Map<string, PartitionQueue[]>();
  readonly #busyBrokers = new Set<number>();
  #session: ProducerSession | undefined;
  #buffered: number = 0;
  #scheduled: boolean = false;
  #failure: unknown;
  #waiting: (() => void)[] = [];

  constructor(client: KafkaClient, settings: ProducerSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  /** What follows is written under this identity. Nothing may be on its way. */
  begin(session: ProducerSession): void {
    this.#session = session;
    for (const queues of this.#queues.values()) {
      // Without the holes of partitions that were not written to.
      queues.forEach((queue) => {
        queue.sequence = 0;
        queue.isInTransaction = false;
        queue.lastOffset = -1;
      });
    }
  }

  /** @throws what has failed before */
  append(topic: string, partition: number, key: Uint8Array | null, value: Uint8Array | null, timestampMs: number, headers: readonly RecordHeader[] | undefined): void {
    if (this.#failure !== undefined) throw this.#failure;
    const queue = this.#queue(topic, partition);
    const builder = (queue.builder ??= new RecordBatchBuilder());
    const before = builder.size;
    builder.append(key, value, timestampMs, headers);
    this.#buffered += builder.size - before;
    if (builder.size >= this.#settings.batchSizeBytes) this.#seal(queue);
    if (this.#scheduled) return;
    // Not at once: the records of this turn go together.
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  /** Where the newest batches of the session are, of up to `most` partitions. */
  written(most: number): readonly LogPosition[] {
    const queues = [...this.#queues.values()].flatMap((ofTopic) => ofTopic.filter(({ lastOffset }) => lastOffset >= 0));
    return queues.slice(0, most).map(({ topic, partition, lastOffset }) => ({ topic, partition, offset: lastOffset }));
  }

  get isFull(): boolean {
    return this.#buffered >= this.#settings.bufferMemoryBytes;
  }

  /** Resolves when there is room again. @throws what has failed */
  async room(): Promise<void> {
    while (this.isFull && this.#failure === undefined) await this.#change();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when everything is written. @throws what has failed */
  async flush(): Promise<void> {
    this.#send();
    while (this.#buffered > 0 && this.#failure === undefined) await this.#change();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  #queue(topic: string, partition: number): PartitionQueue {
    let queues = this.#queues.get(topic);
    if (queues === undefined) this.#queues.set(topic, (queues = []));
    return (queues[partition] ??= new PartitionQueue(topic, partition));
  }

  #seal(queue: PartitionQueue): void {
    const { builder } = queue;
    const session = this.#session;
    if (builder === undefined || session === undefined) return;
    const { producerId, producerEpoch, transactionalId } = session;
    const bytes = builder.finish({ producerId, producerEpoch, baseSequence: queue.sequence, isTransactional: transactionalId !== null }, this.#settings.compression);
    queue.sequence = (queue.sequence + builder.count) % MAX_SEQUENCE;
    queue.batches.push({ bytes, size: builder.size, deadlineMs: Date.now() + this.#settings.deliveryTimeoutMs });
    // A new builder begins with its header, which the buffered bytes do not count.
    queue.builder = undefined;
  }

  /** Sends to each broker that is not busy what there is for it. */
  #send(): void {
    if (this.#failure !== undefined || this.#client.isClosed) return;
    const byBroker = new Map<number, PartitionQueue[]>();
    for (const queues of this.#queues.values()) {
      for (const queue of queues) {
        if (queue === undefined || queue.isSending || (queue.batches.length === 0 && queue.builder === undefined)) continue;
        const leader = this.#client.leader(queue.topic, queue.partition);
        const brokerId = leader?.brokerId ?? -1;
        if (this.#busyBrokers.has(brokerId)) continue;
        if (queue.batches.length === 0) this.#seal(queue);
        const list = byBroker.get(brokerId);
        if (list === undefined) byBroker.set(brokerId, [queue]);
        else list.push(queue);
      }
    }
    for (const [brokerId, queues] of byBroker) void this.#sendTo(brokerId, queues);
  }

  async #sendTo(brokerId: number, queues: readonly PartitionQueue[]): Promise<void> {
    this.#busyBrokers.add(brokerId);
    for (const queue of queues) queue.isSending = true;
    try {
      const passing = brokerId === -1 ? new TransientKafkaError("a partition has no leader") : await this.#produce(brokerId, queues);
      if (passing !== undefined) await this.#recover(queues, passing);
    } catch (error) {
      if (error instanceof TransientKafkaError) await this.#recover(queues, error).catch((failure: unknown) => this.#fail(failure));
      else this.#fail(error);
    }
    for (const queue of queues) queue.isSending = false;
    this.#busyBrokers.delete(brokerId);
    this.#wake();
    this.#send();
  }

  /** Returns what has failed in a way that passes. */
  async #produce(brokerId: number, queues: readonly PartitionQueue[]): Promise<Error | undefined> {
    const { transactionalId } = this.#session!;
    if (transactionalId !== null) await this.#addToTransaction(transactionalId, queues);
    const topics = byTopic(queues, (queue) => ({ partition: queue.partition, records: queue.batches[0]!.bytes }));
    const answers = await this.#client.call(brokerId, Produce, { transactionalId, acks: -1, timeoutMs: this.#client.settings.requestTimeoutMs, topics });
    let passing: Error | undefined;
    for (const { topic, partitions } of answers) {
      for (const { partition, errorCode, baseOffset, message } of partitions) {
        const queue = this.#queue(topic, partition);
        const error = errorName(errorCode);
        if (errorCode === 0 || error === "DUPLICATE_SEQUENCE_NUMBER") {
          this.#buffered -= sizeOf(queue.batches.shift()!);
          if (baseOffset >= 0n) queue.lastOffset = Number(baseOffset);
        } else passing = this.#writeError(queue, errorCode, error, message);
      }
    }
    return passing;
  }

  #writeError(queue: PartitionQueue, errorCode: number, error: string, message: string | null): Error {
    const where = `writing to ${queue.topic}-${queue.partition}`;
    if (error === "INVALID_PRODUCER_EPOCH" || error === "PRODUCER_FENCED") throw fenced(this.#session!.transactionalId, where);
    if (error === "MESSAGE_TOO_LARGE" || error === "RECORD_LIST_TOO_LARGE") {
      throw new MillraceError({
        code: "KAFKA_RECORD_TOO_LARGE", message: `${where}: a batch of ${queue.batches[0]!.bytes.length} bytes is larger than the broker takes`,
        hint: "raise the topic's max.message.bytes, or lower batchSizeBytes if no single record is that large",
      });
    }
    const failure = answerError(errorCode, where, message);
    if (failure instanceof TransientKafkaError) return failure;
    throw failure;
  }

  async #addToTransaction(transactionalId: string, queues: readonly PartitionQueue[]): Promise<void> {
    const fresh = queues.filter((queue) => !queue.isInTransaction);
    if (fresh.length === 0) return;
    const { producerId, producerEpoch } = this.#session!;
    const topics = byTopic(fresh, ({ partition }) => partition);
    const answers = await this.#client.callCoordinator("transaction", transactionalId, AddPartitionsToTxn, { transactionalId, producerId, producerEpoch, topics });
    for (const { partitions } of answers) {
      for (const { errorCode } of partitions) {
        if (errorCode === 0) continue;
        const error = errorName(errorCode);
        if (error === "INVALID_PRODUCER_EPOCH" || error === "PRODUCER_FENCED" || error === "INVALID_PRODUCER_ID_MAPPING") throw fenced(transactionalId, "adding partitions to a transaction");
        this.#client.forgetCoordinator("transaction", transactionalId);
        throw answerError(errorCode, `adding partitions to transaction "${transactionalId}"`);
      }
    }
    for (const queue of fresh) queue.isInTransaction = true;
  }

  /** Waits a little and asks who leads now. @throws `KAFKA_DELIVERY_TIMEOUT` once a batch has waited too long */
  async #recover(queues: readonly PartitionQueue[], cause: Error): Promise<void> {
    const late = queues.find((queue) => (queue.batches[0]?.deadlineMs ?? Number.POSITIVE_INFINITY) < Date.now());
    if (late !== undefined) {
      throw new MillraceError({
        code: "KAFKA_DELIVERY_TIMEOUT", message: `records for ${late.topic}-${late.partition} could not be written in ${this.#settings.deliveryTimeoutMs} ms: ${cause.message}`, cause, recovery: "restart",
        hint: "look at the brokers' logs; deliveryTimeoutMs says how long to try",
      });
    }
    await this.#client.sleep(RETRY_PAUSE_MS);
    try {
      await this.#client.metadata([...new Set(queues.map(({ topic }) => topic))]);
    } catch (error) {
      if (!(error instanceof TransientKafkaError)) throw error;
    }
  }
}

/** What a batch counts in the buffered bytes: without the header, which an empty builder has, too. */
function sizeOf(batch: Batch): number {
  return batch.size - EMPTY_SIZE;
}
const EMPTY_SIZE = new RecordBatchBuilder().size;

function fenced(transactionalId: string | null, where: string): MillraceError {
  return new MillraceError({
    code: "KAFKA_PRODUCER_FENCED", message: `${where}: Kafka has given "${transactionalId ?? "this producer"}" to another producer, or aborted its transaction because it was open for too long`, recovery: "restart",
    hint: "checkpoints must be more often than transactionTimeoutMs, and no other job may have the same transactionalIdPrefix",
  });
}
