import { MillraceError } from "@millrace/core";
import type { SplitEnumerator, SplitEnumeratorContext } from "@millrace/core";
import { KafkaClient, requireTopics } from "../client/kafka-client.js";
import type { KafkaSourceSettings } from "./kafka-source-options.js";
import { ownerOf, splitIdOf } from "./kafka-split.js";
import type { KafkaSplit, TopicPartition } from "./kafka-split.js";
import { OffsetsInitializer } from "./offsets-initializer.js";
import { resolveOffsets } from "./resolve-offsets.js";

/** The enumerator's part of a checkpoint. */
export interface KafkaEnumeratorState {
  /** Every partition that was ever found, as `topic-partition`. */
  readonly known: readonly string[];
  /** Splits that no reader has yet. */
  readonly pending: readonly KafkaSplit[];
}

/** How long brokers may be away when a job starts, or leaders be elected. */
const START_LIMIT_MS = 60_000;

/** Finds the partitions, asks where they begin and end, and gives each to the reader that owns it. Flink: KafkaSourceEnumerator. */
export class KafkaEnumerator implements SplitEnumerator<KafkaSplit, KafkaEnumeratorState> {
  readonly #context: SplitEnumeratorContext<KafkaSplit>;
  readonly #settings: KafkaSourceSettings<unknown>;
  readonly #client: KafkaClient;
  readonly #known: Set<string>;
  readonly #isRestored: boolean;
  #pending: KafkaSplit[];
  #isDiscovered: boolean = false;

  constructor(context: SplitEnumeratorContext<KafkaSplit>, settings: KafkaSourceSettings<unknown>, restored: KafkaEnumeratorState | undefined) {
    this.#context = context;
    this.#settings = settings;
    this.#client = new KafkaClient(settings.connection);
    this.#known = new Set(restored?.known);
    this.#pending = [...(restored?.pending ?? [])];
    this.#isRestored = restored !== undefined;
  }

  async start(): Promise<void> {
    const { discoveryIntervalMs } = this.#settings;
    // A restored bounded source ends with the partitions it began with.
    if (!this.#isRestored || this.#settings.stoppingOffsets === undefined) this.#add(await this.#discover(!this.#isRestored));
    this.#isDiscovered = true;
    this.#serve();
    if (this.#settings.stoppingOffsets !== undefined) for (const subtask of this.#context.registeredReaders()) this.#context.signalNoMoreSplits(subtask);
    if (discoveryIntervalMs === 0) return;
    this.#context.callAsync(
      () => this.#discover(false),
      (splits, error) => {
        if (splits === undefined) throw error;
        this.#add(splits);
        this.#serve();
      },
      discoveryIntervalMs,
    );
  }

  addReader(subtask: number): void {
    this.#serve();
    if (this.#isDiscovered && this.#settings.stoppingOffsets !== undefined) this.#context.signalNoMoreSplits(subtask);
  }

  addSplitsBack(splits: readonly KafkaSplit[], _subtask: number): void {
    this.#pending.push(...splits);
    this.#serve();
  }

  snapshotState(): KafkaEnumeratorState {
    return { known: [...this.#known], pending: [...this.#pending] };
  }

  close(): void {
    this.#client.close();
  }

  #serve(): void {
    if (!this.#isDiscovered) return;
    const registered = new Set(this.#context.registeredReaders());
    const waiting: KafkaSplit[] = [];
    for (const split of this.#pending) {
      const owner = ownerOf(split, this.#context.parallelism);
      if (registered.has(owner)) this.#context.assignSplit(split, owner);
      else waiting.push(split);
    }
    this.#pending = waiting;
  }

  #add(splits: readonly KafkaSplit[]): void {
    for (const split of splits) {
      this.#known.add(split.splitId);
      // Nothing to read: it neither needs a reader nor keeps one from ending.
      if (split.stoppingOffset === null || split.offset < split.stoppingOffset) this.#pending.push(split);
    }
  }

  /** Partitions that are not known yet. */
  #discover(isFirst: boolean): Promise<KafkaSplit[]> {
    return this.#client.retrying("finding the partitions of a Kafka source", START_LIMIT_MS, async () => {
      const fresh = (await this.#partitions()).filter((partition) => !this.#known.has(splitIdOf(partition)));
      if (fresh.length === 0) return [];
      const { groupId, readCommitted, startingOffsets, stoppingOffsets } = this.#settings;
      const context = { client: this.#client, groupId, readCommitted };
      // One that came while the job runs: whatever is in it came after the start.
      const begin = await resolveOffsets(context, fresh, isFirst ? startingOffsets : OffsetsInitializer.earliest());
      const end = stoppingOffsets === undefined ? undefined : await resolveOffsets(context, fresh, stoppingOffsets);
      return fresh.map((partition) => {
        const splitId = splitIdOf(partition);
        return { splitId, topic: partition.topic, partition: partition.partition, offset: begin.get(splitId)!, stoppingOffset: end?.get(splitId) ?? null };
      });
    });
  }

  async #partitions(): Promise<readonly TopicPartition[]> {
    const { topics, topicPattern, partitions } = this.#settings;
    const named = topics ?? (partitions === undefined ? null : [...new Set(partitions.map(({ topic }) => topic))]);
    const response = await this.#client.metadata(named);
    const wanted = named === null ? { ...response, topics: response.topics.filter((topic) => topic.errorCode === 0 && !topic.isInternal && matches(topicPattern!, topic.name)) } : response;
    requireTopics(wanted);
    const found = wanted.topics.flatMap((topic) => topic.partitions.map(({ partition }) => ({ topic: topic.name, partition })));
    if (partitions === undefined) return found;
    const ids = new Set(found.map(splitIdOf));
    const missing = partitions.find((partition) => !ids.has(splitIdOf(partition)));
    if (missing === undefined) return partitions;
    const count = found.filter(({ topic }) => topic === missing.topic).length;
    throw new MillraceError({
      code: "KAFKA_PARTITION_NOT_FOUND", message: `there is no partition ${missing.partition} of topic "${missing.topic}": it has ${count}`, location: { option: "partitions" }, recovery: "restart",
      hint: `partitions count from 0 to ${count - 1}`,
    });
  }
}

function matches(pattern: RegExp, topic: string): boolean {
  pattern.lastIndex = 0;
  return pattern.exec(topic)?.[0] === topic;
}
