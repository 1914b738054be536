import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { StringSchema, isMillraceError, type Committer, type SinkWriterContext } from "@millrace/core";
import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../../tools/services/kafka/kafka-distribution.js";
import { KafkaClient } from "../src/client/kafka-client.js";
import { connectionSettings } from "../src/client/kafka-options.js";
import { KafkaSink } from "../src/index.js";
import type { KafkaSinkWriter, KafkaWriterState } from "../src/sink/kafka-sink-writer.js";
import { listOpenTransactions } from "../src/sink/transactions.js";
import type { KafkaCommittable } from "../src/sink/transaction-pool.js";
import { committedRecords } from "./support/committed-records.js";
import { settledTransactions } from "./support/settled-transactions.js";

/*
 * Attempts of one subtask by hand: the first one is given up, for it was not heard for a while, and lives on beside those that replace it.
 */
const skip = kafkaMissing() ?? false;
let kafka: KafkaCluster;
let client: KafkaClient;

before(async () => {
  if (skip !== false) return;
  kafka = await KafkaCluster.start();
  client = new KafkaClient(connectionSettings({ bootstrapServers: kafka.bootstrapServers }));
});
after(async () => {
  client?.close();
  await kafka?.remove();
});

class Attempt {
  readonly #writer: KafkaSinkWriter<string>;
  readonly #committer: Committer<KafkaCommittable>;

  private constructor(writer: KafkaSinkWriter<string>, committer: Committer<KafkaCommittable>) {
    this.#writer = writer;
    this.#committer = committer;
  }

  static async open(topic: string, attemptNumber: number, restoredCheckpointId: number | undefined, state: readonly KafkaWriterState[], restored: readonly KafkaCommittable[] = [], jobId: string = "job-a"): Promise<Attempt> {
    const sink = KafkaSink.of<string>({ bootstrapServers: kafka.bootstrapServers, topic, value: StringSchema, deliveryGuarantee: "exactly-once", transactionalIdPrefix: topic });
    const context = {
      jobId, subtaskIndex: 0, parallelism: 1, attemptNumber, restoredCheckpointId, random: Math.random, clock: { nowMs: Date.now }, metrics: { counter: () => ({ inc: () => undefined }) }, log: () => undefined,
    } as unknown as SinkWriterContext;
    const committer = sink.createCommitter!(context) as Committer<KafkaCommittable>;
    if (restored.length > 0) await commit(committer, restored);
    return new Attempt((await sink.restoreWriter(context, state)) as KafkaSinkWriter<string>, committer);
  }

  /** Until it is with the broker. */
  async write(...values: readonly string[]): Promise<void> {
    for (const value of values) await this.#writer.write(value, { timestamp: 0, currentWatermark: 0 });
    await this.#writer.flush(false);
  }

  async snapshot(): Promise<{ readonly committables: readonly KafkaCommittable[]; readonly state: readonly KafkaWriterState[] }> {
    const committables = await this.#writer.prepareCommit();
    return { committables, state: this.#writer.snapshotState() };
  }

  commit(committables: readonly KafkaCommittable[]): Promise<void> {
    return commit(this.#committer, committables);
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#committer.close();
  }
}

async function commit(committer: Committer<KafkaCommittable>, committables: readonly KafkaCommittable[]): Promise<void> {
  const failures: unknown[] = [];
  await committer.commit(committables.map((committable) => ({
    committable, numberOfRetries: 0, retryLater: () => failures.push("again"), signalAlreadyCommitted: () => undefined, signalFailedWithKnownReason: (error: unknown) => failures.push(error),
  })));
  assert.deepEqual(failures, []);
}

const open = (topic: string): Promise<readonly string[]> => listOpenTransactions(client, topic);

async function committed(topic: string): Promise<string[]> {
  await settledTransactions(kafka.bootstrapServers, topic);
  await client.metadata([topic]);
  return committedRecords(client, topic, 0);
}

test("an attempt aborts at its start what the one before had begun, and shuts it out", { skip }, async () => {
  await kafka.createTopic("starts");
  const first = await Attempt.open("starts", 0, undefined, []);
  await first.write("one");
  const checkpoint1 = await first.snapshot();
  await first.write("two");
  await first.snapshot();
  await first.write("three");
  assert.equal((await open("starts")).length, 3);

  // Checkpoint 2 was never complete. What 1 is to commit is with another subtask, say, and not committed yet.
  const second = await Attempt.open("starts", 1, 1, checkpoint1.state);
  assert.deepEqual(await open("starts"), [checkpoint1.committables[0]!.transactionalId]);
  await assert.rejects(first.write("four"), (error) => isMillraceError(error) && error.code === "KAFKA_PRODUCER_FENCED");
  await second.commit(checkpoint1.committables);
  await second.write("two");

  // The second fails before it has a checkpoint of its own.
  const third = await Attempt.open("starts", 2, 1, checkpoint1.state, checkpoint1.committables);
  assert.deepEqual(await open("starts"), []);
  await third.write("two", "three");
  const checkpoint3 = await third.snapshot();
  await third.commit(checkpoint3.committables);
  assert.deepEqual(await committed("starts"), ["one", "two", "three"]);
  for (const attempt of [first, second, third]) await attempt.close();
});

test("an attempt that was given up and wakes up takes nothing away from its successor", { skip }, async () => {
  await kafka.createTopic("wakes");
  const first = await Attempt.open("wakes", 0, undefined, []);
  await first.write("one");
  const checkpoint1 = await first.snapshot();
  const second = await Attempt.open("wakes", 0, 1, checkpoint1.state, checkpoint1.committables);
  await second.write("two");
  const checkpoint2 = await second.snapshot();
  await second.write("three");

  // The first hears of its complete checkpoint only now: it commits, and cleans up after its first commit.
  await first.commit(checkpoint1.committables);
  // And it takes its next id, for records that will never be part of a checkpoint.
  await first.write("two");
  await second.commit(checkpoint2.committables);
  await second.commit((await second.snapshot()).committables);
  assert.deepEqual(await committed("wakes"), ["one", "two", "three"]);
  assert.deepEqual(await open("wakes"), [], "what it has begun is aborted with the first commit");
  for (const attempt of [first, second]) await attempt.close();
});

test("a first attempt that wakes up in its start aborts nothing of its successors, another job everything", { skip, timeout: 120_000 }, async () => {
  await kafka.createTopic("frozen");
  const second = await Attempt.open("frozen", 1, undefined, []);
  await second.write("one");
  const checkpoint1 = await second.snapshot();
  await second.write("two");
  const third = await Attempt.open("frozen", 2, 1, checkpoint1.state, checkpoint1.committables);
  await third.write("two");
  const checkpoint2 = await third.snapshot();

  // The first stood still before it looked for what to abort.
  const first = await Attempt.open("frozen", 0, undefined, []);
  await third.commit(checkpoint2.committables);
  assert.deepEqual(await committed("frozen"), ["one", "two"]);

  await third.write("three");
  const anew = await Attempt.open("frozen", 0, undefined, [], [], "job-b");
  assert.deepEqual(await open("frozen"), []);
  for (const attempt of [first, second, third, anew]) await attempt.close();
});
