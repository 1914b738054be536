import { isMillraceError, ReaderAvailability } from "@millrace/core";
import type { Counter, InputStatus, ReaderOutput, SourceReader, SourceReaderContext } from "@millrace/core";
import { KafkaClient } from "../client/kafka-client.js";
import { OffsetCommit } from "../protocol/offset-apis.js";
import { byTopic } from "../protocol/topic-partitions.js";
import type { RecordCursor } from "../records/record-cursor.js";
import { MALFORMED_KAFKA_RECORDS, malformedRecord, recordAt } from "./kafka-record.js";
import type { KafkaSourceSettings } from "./kafka-source-options.js";
import type { KafkaSplit } from "./kafka-split.js";
import { PartitionFetcher } from "./partition-fetcher.js";
import { PartitionReader } from "./partition-reader.js";

/** Records of a batch: enough to share its costs, few enough that others get their turn. */
const BATCH_SIZE = 1024;

const TOMBSTONE = new Error("it is a tombstone, without a value; a deserializer sees those");

/** Reads the partitions of one subtask, a batch of each in turn, and fetches ahead. Flink: KafkaSourceReader. */
export class KafkaSourceReader<T> implements SourceReader<T, KafkaSplit> {
  readonly #settings: KafkaSourceSettings<T>;
  readonly #client: KafkaClient;
  readonly #context: SourceReaderContext;
  readonly #partitions = new Map<string, PartitionReader>();
  readonly #fetcher: PartitionFetcher;
  readonly #errors: Counter;
  readonly #commitsSucceeded: Counter;
  readonly #commitsFailed: Counter;
  /** Positions by checkpoint, until it is complete. */
  readonly #toCommit = new Map<number, readonly KafkaSplit[]>();
  /** Ends of partitions that were read to their end since the last checkpoint. */
  #finished: KafkaSplit[] = [];
  #turn: PartitionReader[] = [];
  #noMoreSplits: boolean = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #availability = new ReaderAvailability();

  constructor(context: SourceReaderContext, settings: KafkaSourceSettings<T>) {
    this.#context = context;
    this.#settings = settings;
    this.#client = new KafkaClient(settings.connection);
    this.#fetcher = new PartitionFetcher(this.#client, settings as KafkaSourceSettings<unknown>, this.#partitions, () => this.#availability.signal());
    const { metrics } = context;
    this.#errors = metrics.counter("numRecordsInErrors");
    this.#commitsSucceeded = metrics.counter("commitsSucceeded");
    this.#commitsFailed = metrics.counter("commitsFailed");
    metrics.gauge("pendingRecords", () => [...this.#partitions.values()].reduce((sum, { highWatermark, position }) => sum + Math.max(0, highWatermark - position), 0));
  }

  start(): void {}

  pollNext(output: ReaderOutput<T>): InputStatus {
    this.#availability.reset();
    if (this.#fetcher.failure !== undefined) throw this.#fetcher.failure;
    if (this.#failure !== undefined) throw this.#failure.error;
    let emitted = false;
    for (let left = this.#partitions.size; left > 0 && !output.full; left--) {
      const partition = this.#next();
      if (partition === undefined) break;
      emitted = this.#emit(partition, output) || emitted;
      if (partition.isDone) this.#finish(partition, output);
    }
    this.#fetcher.pump();
    if (this.#partitions.size === 0 && this.#noMoreSplits) return "end-of-input";
    return emitted || output.full ? "more-available" : "nothing-available";
  }

  available(): Promise<void> {
    return this.#availability.wait();
  }

  addSplits(splits: readonly KafkaSplit[]): void {
    for (const split of splits) {
      const partition = new PartitionReader(split, this.#settings.readCommitted);
      this.#partitions.set(split.splitId, partition);
      this.#turn.push(partition);
      const group = this.#context.metrics.addGroup("KafkaSourceReader").addGroup("topic", split.topic).addGroup("partition", String(split.partition));
      group.gauge("currentOffset", () => partition.position - 1);
      group.gauge("committedOffset", () => partition.committedOffset);
      group.gauge("recordsLag", () => Math.max(0, partition.highWatermark - partition.position));
    }
    this.#fetcher.pump();
    this.#availability.signal();
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true;
    this.#availability.signal();
  }

  snapshotState(checkpointId: number): readonly KafkaSplit[] {
    const splits = [...this.#partitions.values()].map((partition) => partition.snapshot());
    if (this.#settings.commitOffsets) {
      this.#toCommit.set(checkpointId, [...splits, ...this.#finished]);
      this.#finished = [];
    }
    return splits;
  }

  notifyCheckpointComplete(checkpointId: number): void {
    const splits = this.#toCommit.get(checkpointId);
    for (const id of this.#toCommit.keys()) if (id <= checkpointId) this.#toCommit.delete(id);
    // Only for others to watch: it neither holds the job up nor fails it.
    if (splits !== undefined && splits.length > 0) void this.#commit(splits);
  }

  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    for (const splitId of pause) this.#setPaused(splitId, true);
    for (const splitId of resume) this.#setPaused(splitId, false);
    this.#fetcher.pump();
    this.#availability.signal();
  }

  close(): void {
    this.#client.close();
    this.#availability.signal();
  }

  #setPaused(splitId: string, isPaused: boolean): void {
    const partition = this.#partitions.get(splitId);
    if (partition !== undefined) partition.isPaused = isPaused;
  }

  /** The partition whose turn it is among those that have records. */
  #next(): PartitionReader | undefined {
    for (let i = 0; i < this.#turn.length; i++) {
      const partition = this.#turn[i]!;
      if (partition.cursor === undefined || partition.isPaused || partition.isPreparing) continue;
      this.#turn.splice(i, 1);
      this.#turn.push(partition);
      return partition;
    }
    return undefined;
  }

  /** A batch of one partition. Returns whether there was anything, records or only what nobody sees. */
  #emit(partition: PartitionReader, output: ReaderOutput<T>): boolean {
    const { cursor, split } = partition;
    if (cursor === undefined) return false;
    const splitOutput = output.forSplit(split.splitId);
    const values: T[] = [];
    let timestampsMs = new Float64Array(BATCH_SIZE);
    const prepares = this.#settings.value?.prepare !== undefined;
    const end = split.stoppingOffset ?? Number.POSITIVE_INFINITY;
    while (values.length < BATCH_SIZE) {
      if (partition.held === cursor) partition.held = undefined;
      else if (!cursor.next()) {
        partition.dropCursor();
        break;
      }
      if (cursor.offset >= end) {
        partition.advanceTo(end);
        break;
      }
      if (prepares && this.#prepares(partition, cursor)) break;
      const before = values.length;
      this.#deserialize(split, cursor, splitOutput, values);
      if (values.length > timestampsMs.length) {
        const longer = new Float64Array(values.length + BATCH_SIZE);
        longer.set(timestampsMs);
        timestampsMs = longer;
      }
      for (let i = before; i < values.length; i++) timestampsMs[i] = cursor.timestampMs;
      partition.advanceTo(cursor.offset + 1);
    }
    if (values.length > 0) splitOutput.collectBatch(values, values.length === timestampsMs.length ? timestampsMs : timestampsMs.slice(0, values.length));
    return true;
  }

  /** True when the format must fetch something before it can read the record: the partition stays there until it has. */
  #prepares(partition: PartitionReader, cursor: RecordCursor): boolean {
    const { value } = this.#settings;
    if (cursor.valueStart < 0) return false;
    const preparing = value!.prepare!(cursor.bytes, cursor.valueStart, cursor.valueEnd);
    if (preparing === undefined) return false;
    partition.held = cursor;
    partition.isPreparing = true;
    preparing.catch((error: unknown) => (this.#failure ??= { error })).finally(() => {
      partition.isPreparing = false;
      this.#availability.signal();
    });
    return true;
  }

  /** Appends what the record holds to `values`: all its records or, when it is malformed, none. */
  #deserialize(split: KafkaSplit, cursor: RecordCursor, output: ReaderOutput<T>, values: T[]): void {
    const { value, deserializer } = this.#settings;
    const count = values.length;
    try {
      let record: T | undefined;
      if (value === undefined) record = deserializer!(recordAt(split, cursor));
      else if (cursor.valueStart < 0) {
        if (value.ignoresTombstones !== true) throw TOMBSTONE;
      } else if (value.deserializeEach !== undefined) value.deserializeEach(cursor.bytes, cursor.valueStart, cursor.valueEnd, (one) => values.push(one));
      else record = value.deserialize(cursor.bytes, cursor.valueStart, cursor.valueEnd);
      if (record !== undefined) values.push(record);
    } catch (error) {
      values.length = count;
      this.#errors.inc();
      const { onError } = this.#settings;
      if (onError === "fail") throw isMillraceError(error) ? error : malformedRecord(split, cursor.offset, value?.name ?? "record the deserializer takes", error);
      if (onError === "side-output") output.sideOutput(MALFORMED_KAFKA_RECORDS.id, { ...recordAt(split, cursor), message: (error as Error).message }, cursor.timestampMs);
    }
  }

  #finish(partition: PartitionReader, output: ReaderOutput<T>): void {
    const { splitId } = partition.split;
    this.#partitions.delete(splitId);
    this.#turn = this.#turn.filter((other) => other !== partition);
    if (this.#settings.commitOffsets) this.#finished.push(partition.snapshot());
    output.releaseSplit(splitId);
  }

  async #commit(splits: readonly KafkaSplit[]): Promise<void> {
    const groupId = this.#settings.groupId!;
    try {
      const topics = byTopic(splits, ({ partition, offset }) => ({ partition, offset: BigInt(offset) }));
      const answers = await this.#client.callCoordinator("group", groupId, OffsetCommit, { groupId, topics });
      if (answers.some(({ partitions }) => partitions.some(({ errorCode }) => errorCode !== 0))) {
        this.#client.forgetCoordinator("group", groupId);
        this.#commitsFailed.inc();
        return;
      }
      this.#commitsSucceeded.inc();
      for (const { splitId, offset } of splits) {
        const partition = this.#partitions.get(splitId);
        if (partition !== undefined) partition.committedOffset = offset;
      }
    } catch {
      this.#commitsFailed.inc();
    }
  }
}
