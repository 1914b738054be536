import { MillraceError } from "@millrace/core";
import type { KafkaClient } from "../client/kafka-client.js";
import { TransientKafkaError, answerError } from "../client/kafka-error.js";
import { errorName } from "../protocol/error-code.js";
import { Fetch } from "../protocol/fetch-api.js";
import type { FetchedPartition } from "../protocol/fetch-api.js";
import { byTopic } from "../protocol/topic-partitions.js";
import type { KafkaSourceSettings } from "./kafka-source-options.js";
import { splitIdOf } from "./kafka-split.js";
import { OffsetsInitializer } from "./offsets-initializer.js";
import type { PartitionReader } from "./partition-reader.js";
import { resolveOffsets } from "./resolve-offsets.js";

/** A broker may say for a moment that it does not know a topic: after a restart, or while leaders move. Longer than that it was deleted. */
const MISSING_LIMIT_MS = 60_000;
/** Wait for new records while partitions of the same broker are left out of the request: they want to be fetched again soon. */
const SHORT_WAIT_MS = 10;
const BACKOFF_MS = 200;

/** Keeps one request under way to each broker that leads partitions which want data. Answers go to the partitions; `changed` is called after each. */
export class PartitionFetcher {
  readonly #client: KafkaClient;
  readonly #settings: KafkaSourceSettings<unknown>;
  readonly #partitions: ReadonlyMap<string, PartitionReader>;
  readonly #changed: () => void;
  readonly #busyBrokers = new Set<number>();
  #refreshing: boolean = false;
  #failure: Error | undefined;

  constructor(client: KafkaClient, settings: KafkaSourceSettings<unknown>, partitions: ReadonlyMap<string, PartitionReader>, changed: () => void) {
    this.#client = client;
    this.#settings = settings;
    this.#partitions = partitions;
    this.#changed = changed;
  }

  /** What no further try can mend; `undefined` while all is well. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Sends what can be sent now. Called whenever a partition may want data. */
  pump(): void {
    if (this.#failure !== undefined || this.#client.isClosed) return;
    const wanted = new Map<number, PartitionReader[]>();
    const served = new Map<number, number>();
    for (const partition of this.#partitions.values()) {
      const leader = this.#client.leader(partition.split.topic, partition.split.partition);
      if (leader === undefined) {
        if (partition.wantsData) this.#refresh(0);
        continue;
      }
      served.set(leader.brokerId, (served.get(leader.brokerId) ?? 0) + 1);
      if (!partition.wantsData || this.#busyBrokers.has(leader.brokerId)) continue;
      const list = wanted.get(leader.brokerId);
      if (list === undefined) wanted.set(leader.brokerId, [partition]);
      else list.push(partition);
    }
    for (const [brokerId, partitions] of wanted) void this.#fetch(brokerId, partitions, partitions.length === served.get(brokerId));
  }

  async #fetch(brokerId: number, partitions: readonly PartitionReader[], isAll: boolean): Promise<void> {
    this.#busyBrokers.add(brokerId);
    for (const partition of partitions) partition.isFetching = true;
    let broken = false;
    try {
      const { readCommitted, fetchMaxBytes, fetchMaxWaitMs, maxPartitionFetchBytes } = this.#settings;
      const topics = byTopic(
        partitions.map((partition) => ({ topic: partition.split.topic, partition: partition.split.partition, offset: BigInt(partition.fetchPosition) })),
        ({ partition, offset }) => ({ partition, offset, leaderEpoch: -1, maxBytes: maxPartitionFetchBytes }),
      );
      const maxWaitMs = isAll ? fetchMaxWaitMs : Math.min(SHORT_WAIT_MS, fetchMaxWaitMs);
      const response = await this.#client.call(brokerId, Fetch, { maxWaitMs, minBytes: 1, maxBytes: fetchMaxBytes, readCommitted, topics });
      if (response.errorCode !== 0) throw answerError(response.errorCode, "fetching");
      for (const { topic, partitions: answers } of response.topics) for (const answer of answers) broken = (await this.#take(topic, answer)) || broken;
    } catch (error) {
      if (error instanceof TransientKafkaError) broken = true;
      else this.#failure ??= error as Error;
    }
    for (const partition of partitions) partition.isFetching = false;
    if (broken) this.#refresh(BACKOFF_MS, () => this.#busyBrokers.delete(brokerId));
    else this.#busyBrokers.delete(brokerId);
    this.#changed();
    this.pump();
  }

  /** Returns true when it failed in a way that passes. */
  async #take(topic: string, answer: FetchedPartition): Promise<boolean> {
    const partition = this.#partitions.get(splitIdOf({ topic, partition: answer.partition }));
    // It was taken away while the request was on its way.
    if (partition === undefined) return false;
    if (answer.errorCode === 0) {
      partition.add(answer);
      return false;
    }
    const error = errorName(answer.errorCode);
    if (error === "OFFSET_OUT_OF_RANGE") {
      await this.#outOfRange(partition, answer);
      return false;
    }
    const what = `fetching ${partition.split.splitId} at offset ${partition.fetchPosition}`;
    const failure = answerError(answer.errorCode, what);
    if (!(failure instanceof TransientKafkaError)) throw failure;
    if (error === "UNKNOWN_TOPIC_OR_PARTITION") this.#checkMissing(partition);
    return true;
  }

  #checkMissing(partition: PartitionReader): void {
    const now = Date.now();
    partition.missingSinceMs ??= now;
    if (now - partition.missingSinceMs < MISSING_LIMIT_MS) return;
    throw new MillraceError({
      code: "KAFKA_PARTITION_NOT_FOUND", message: `${partition.split.splitId} has been gone for ${MISSING_LIMIT_MS / 1000} s: its topic was deleted`,
      hint: "start the job without the state of this source, or create the topic again and reset its offsets",
    });
  }

  async #outOfRange(partition: PartitionReader, { logStartOffset }: FetchedPartition): Promise<void> {
    const { onOffsetOutOfRange, readCommitted } = this.#settings;
    if (onOffsetOutOfRange === "fail") {
      throw new MillraceError({
        code: "KAFKA_OFFSET_OUT_OF_RANGE", message: `offset ${partition.fetchPosition} of ${partition.split.splitId} is not there${logStartOffset >= 0n ? ` (the oldest is ${logStartOffset})` : ""}`,
        hint: 'retention was faster than the job, or the topic was created anew; onOffsetOutOfRange: "earliest" goes on with the records that are left',
      });
    }
    const initializer = onOffsetOutOfRange === "earliest" ? OffsetsInitializer.earliest() : OffsetsInitializer.latest();
    const offsets = await resolveOffsets({ client: this.#client, groupId: undefined, readCommitted }, [partition.split], initializer);
    partition.seek(offsets.get(partition.split.splitId)!);
  }

  /** Asks for the leaders again, after a pause. */
  #refresh(delayMs: number, then: () => void = () => undefined): void {
    if (this.#refreshing) {
      void this.#client.sleep(BACKOFF_MS).then(() => {
        then();
        this.pump();
      });
      return;
    }
    this.#refreshing = true;
    void (async () => {
      try {
        await this.#client.sleep(delayMs);
        await this.#client.metadata([...new Set([...this.#partitions.values()].map(({ split }) => split.topic))]);
      } catch (error) {
        if (!(error instanceof TransientKafkaError)) this.#failure ??= error as Error;
        await this.#client.sleep(BACKOFF_MS);
      }
      this.#refreshing = false;
      then();
      if (this.#failure === undefined) this.pump();
      else this.#changed();
    })();
  }
}
