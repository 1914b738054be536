import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { StringSchema, WatermarkStrategy, isMillraceError } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../../tools/services/kafka/kafka-distribution.js";
import { KafkaClient } from "../src/client/kafka-client.js";
import { connectionSettings } from "../src/client/kafka-options.js";
import { KafkaProducer } from "../src/client/kafka-producer.js";
import { KafkaSink, KafkaSource, OffsetsInitializer, type KafkaConnectionOptions } from "../src/index.js";
import { EndTxn } from "../src/protocol/transaction-apis.js";
import { KafkaCommitter } from "../src/sink/kafka-committer.js";
import { readTransactionEnd } from "../src/sink/transaction-end.js";
import { commitTransaction, initTransactions, listTransactions } from "../src/sink/transactions.js";
import { settledTransactions } from "./support/settled-transactions.js";

const skip = kafkaMissing() ?? false;
const miniCluster = new MiniCluster({
  config: { "execution.checkpointing.interval": "200 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 1000, "restart-strategy.fixed-delay.delay": "20 ms" },
});
const users = { ann: "secret", bob: "other" };
const producerSettings = { compression: "none", batchSizeBytes: 1000, bufferMemoryBytes: 1e6, deliveryTimeoutMs: 30_000 } as const;
let kafka: KafkaCluster;

before(async () => {
  miniCluster.start();
  if (skip === false) kafka = await KafkaCluster.start({ users });
});
after(async () => {
  await miniCluster.stop();
  await kafka?.remove();
});

async function read(topic: string, more: Partial<Parameters<typeof KafkaSource.of<string>>[0]> = {}): Promise<string[]> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const source = KafkaSource.of({ bootstrapServers: kafka.bootstrapServers, topics: topic, stoppingOffsets: OffsetsInitializer.latest(), value: StringSchema, ...more });
  return env.fromSource(source, WatermarkStrategy.noWatermarks(), "Kafka").executeAndCollect();
}

function client(): KafkaClient {
  return new KafkaClient(connectionSettings({ bootstrapServers: kafka.bootstrapServers }));
}

/** Begins a transaction and writes `values` in it. */
async function writeOpen(kafkaClient: KafkaClient, topic: string, transactionalId: string, values: readonly string[], timeoutMs: number = 60_000) {
  const identity = await initTransactions(kafkaClient, transactionalId, timeoutMs);
  await kafkaClient.metadata([topic]);
  const producer = new KafkaProducer(kafkaClient, producerSettings);
  producer.begin({ ...identity, transactionalId });
  for (const value of values) {
    producer.append(topic, 0, null, Buffer.from(value), 0, undefined);
    // Each record a batch of its own: transactions lie between each other in the log.
    await producer.flush();
  }
  return {
    committable: { transactionalId, producerId: String(identity.producerId), producerEpoch: identity.producerEpoch, sequence: 1, written: producer.written(3) },
    append: async (value: string) => {
      producer.append(topic, 0, null, Buffer.from(value), 0, undefined);
      await producer.flush();
    },
    end: (commit: boolean) => kafkaClient.callCoordinator("transaction", transactionalId, EndTxn, { transactionalId, ...identity, commit }),
  };
}

test("Kafka to Kafka, exactly once, while the broker is killed and the job fails", { skip }, async () => {
  const count = 30_000;
  for (const topic of ["chaos-in", "chaos-out"]) await kafka.createTopic(topic, 4);
  const expected = Array.from({ length: count }, (_, i) => `${i}`);
  await kafka.tool("ConsoleProducer", ["--topic", "chaos-in"], expected.join("\n"));

  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(2);
  let seen = 0;
  let broken = 0;
  let failures = 0;
  let restarting: Promise<void> = Promise.resolve();
  const source = KafkaSource.of({
    bootstrapServers: kafka.bootstrapServers, topics: "chaos-in", stoppingOffsets: OffsetsInitializer.latest(), value: StringSchema, groupId: "chaos", maxPartitionFetchBytes: 1000,
  });
  env.fromSource(source, WatermarkStrategy.noWatermarks(), "in").rebalance().map((value) => {
    seen++;
    if (broken < 3 && seen > (broken + 1) * 6000) {
      broken++;
      restarting = restarting.then(async () => {
        await kafka.broker().stop();
        await kafka.broker().start();
      });
    }
    if (failures < 3 && seen > (failures + 1) * 8000) {
      failures++;
      throw new Error("as planned");
    }
    return value;
  }).sinkTo(KafkaSink.of({ bootstrapServers: kafka.bootstrapServers, topic: "chaos-out", value: StringSchema, deliveryGuarantee: "exactly-once", transactionalIdPrefix: "chaos" }));
  await env.execute();
  await restarting;
  assert.deepEqual([broken, failures], [3, 3]);
  assert.deepEqual(await settledTransactions(kafka.bootstrapServers, "chaos"), [], "a transaction was left open");
  assert.deepEqual((await read("chaos-out")).sort(), expected.sort());
});

test("records of aborted and open transactions are never seen, however the log is cut into fetches", { skip }, async () => {
  await kafka.createTopic("mixed");
  const kafkaClient = client();
  const kept = await writeOpen(kafkaClient, "mixed", "mixed-a", ["kept 1"]);
  const dropped = await writeOpen(kafkaClient, "mixed", "mixed-b", ["dropped 1"]);
  await kept.append("kept 2");
  await dropped.append("dropped 2");
  assert.equal(await kept.end(true), 0);
  await dropped.append("dropped 3");
  assert.equal(await dropped.end(false), 0);
  const later = await writeOpen(kafkaClient, "mixed", "mixed-b", ["kept 3"]);
  assert.equal(await later.end(true), 0);
  const open = await writeOpen(kafkaClient, "mixed", "mixed-c", ["open 1"]);
  await settledTransactions(kafka.bootstrapServers, "mixed");
  for (const maxPartitionFetchBytes of [1, 200, 1_000_000]) assert.deepEqual(await read("mixed", { maxPartitionFetchBytes }), ["kept 1", "kept 2", "kept 3"]);
  assert.equal((await read("mixed", { isolationLevel: "read_uncommitted" })).length, 7);
  assert.equal(await open.end(true), 0);
  await settledTransactions(kafka.bootstrapServers, "mixed");
  assert.deepEqual(await read("mixed"), ["kept 1", "kept 2", "kept 3", "open 1"]);
  kafkaClient.close();
});

test("a commit can be repeated by anybody, and one that Kafka has aborted is known to be lost", { skip }, async () => {
  await kafka.createTopic("commits");
  const kafkaClient = client();
  const { committable } = await writeOpen(kafkaClient, "commits", "commits-0-0", ["one"]);
  const other = client();
  assert.equal(await commitTransaction(other, committable), "committed");
  assert.equal(await commitTransaction(kafkaClient, committable), "committed", "the coordinator answers a repeated commit as the first");
  // The id begins something new: what was committed before stays so, and is not taken for it.
  const next = await writeOpen(kafkaClient, "commits", "commits-0-0", ["two"]);
  assert.equal(await commitTransaction(other, committable), "already-committed");
  await settledTransactions(kafka.bootstrapServers, "commits");
  assert.deepEqual(await read("commits"), ["one"]);
  assert.equal(await commitTransaction(other, next.committable), "committed");

  const slow = await writeOpen(kafkaClient, "commits", "commits-0-1", ["late"], 1000);
  // The broker looks once a second for transactions that were open for too long.
  while ((await listTransactions(kafkaClient, "commits")).some(({ transactionalId, state }) => transactionalId === "commits-0-1" && state !== "CompleteAbort")) await kafkaClient.sleep(100);
  assert.equal(await commitTransaction(other, slow.committable), "lost");
  assert.equal(await readTransactionEnd(other, slow.committable), "aborted");
  const aborted = await writeOpen(kafkaClient, "commits", "commits-0-2", ["dropped"]);
  assert.equal(await aborted.end(false), 0);
  assert.equal(await commitTransaction(other, aborted.committable), "lost");
  await settledTransactions(kafka.bootstrapServers, "commits");
  assert.deepEqual(await read("commits"), ["one", "two"]);
  kafkaClient.close();
  other.close();
});

test("what has become of a transaction whose id others have used since is read in the log", { skip }, async () => {
  await kafka.createTopic("ends", 1, { "segment.bytes": "1048576" });
  const kafkaClient = client();
  // Holds up every reader with read_committed.
  const holding = await writeOpen(kafkaClient, "ends", "ends-9-0", ["holds"]);
  const committed = await writeOpen(kafkaClient, "ends", "ends-0-0", ["kept"]);
  assert.equal(await committed.end(true), 0);
  const timedOut = await writeOpen(kafkaClient, "ends", "ends-0-1", ["timed out"], 1000);
  while ((await listTransactions(kafkaClient, "ends")).some(({ transactionalId, state }) => transactionalId === "ends-0-1" && state !== "CompleteAbort")) await kafkaClient.sleep(100);
  const byZombie = await writeOpen(kafkaClient, "ends", "ends-0-2", ["aborted by a zombie"]);
  const aborted = await writeOpen(kafkaClient, "ends", "ends-0-3", ["aborted by its own"]);
  assert.equal(await aborted.end(false), 0);
  const all = [committed, timedOut, byZombie, aborted];
  const outcomes = (): Promise<string[]> => Promise.all(all.map(({ committable }) => commitTransaction(kafkaClient, committable)));
  const expected = ["already-committed", "lost", "lost", "lost"];

  // A zombie gets a newer epoch for each id: to the coordinator, they all look the same now.
  for (const { committable } of all) await initTransactions(kafkaClient, committable.transactionalId, 60_000);
  assert.deepEqual(new Set((await listTransactions(kafkaClient, "ends-0")).map(({ state }) => state)), new Set(["Empty"]));
  assert.deepEqual(await outcomes(), expected, "Empty");
  assert.deepEqual(await outcomes(), expected, "asked again");

  // Then it ends a transaction of its own under each, in the opposite way.
  for (const { committable: { transactionalId } } of all) assert.equal(await (await writeOpen(kafkaClient, "ends", transactionalId, ["another"])).end(transactionalId !== "ends-0-0"), 0);
  assert.deepEqual(await outcomes(), expected, "CompleteAbort and CompleteCommit");
  assert.equal(await holding.end(false), 0);

  const { written: _, ...withoutPlaces } = committed.committable;
  assert.equal(await commitTransaction(kafkaClient, withoutPlaces), "unknown", "of a version that did not remember places");
  const [place] = committed.committable.written;
  assert.equal(await commitTransaction(kafkaClient, { ...committed.committable, written: [{ ...place!, topic: "deleted" }, ...committed.committable.written] }), "already-committed", "one witness is enough");
  // Retention that leaves a part of the log, and then nothing of what was there.
  await kafka.deleteRecords("ends", 0, place!.offset + 1);
  assert.deepEqual(await outcomes(), expected, "without the records");
  await kafka.deleteRecords("ends", 0, -1);
  assert.deepEqual(await outcomes(), ["unknown", "unknown", "unknown", "unknown"], "without the markers");

  const warnings: string[] = [];
  const committer = (onTransactionLost: "fail" | "warn"): KafkaCommitter => new KafkaCommitter({ client: kafkaClient, pool: () => undefined, firstCommitted: async () => undefined, onTransactionLost, warn: (line) => warnings.push(line) });
  const failures: unknown[] = [];
  const request = { committable: committed.committable, numberOfRetries: 0, retryLater: () => assert.fail(), signalAlreadyCommitted: () => assert.fail(), signalFailedWithKnownReason: (error: unknown) => failures.push(error) };
  await committer("fail").commit([request]);
  assert.ok(isMillraceError(failures[0]) && failures[0].code === "KAFKA_TRANSACTION_UNKNOWN" && /"ends-0-0".*ends-0 from offset 1/.test(failures[0].message), String(failures[0]));
  await committer("warn").commit([request]);
  assert.deepEqual([failures.length, warnings.length], [1, 1]);
  kafkaClient.close();
});

test("who proves who he is may read; who does not is told", { skip }, async () => {
  await kafka.createTopic("secured");
  await kafka.tool("ConsoleProducer", ["--topic", "secured"], "hello\n");
  const as = (sasl: KafkaConnectionOptions["sasl"]): Promise<string[]> => read("secured", { bootstrapServers: kafka.saslServers, ...(sasl === undefined ? {} : { sasl }) });
  for (const mechanism of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const) assert.deepEqual(await as({ mechanism, username: "bob", password: users.bob }), ["hello"], mechanism);
  const kafkaClient = new KafkaClient(connectionSettings({ bootstrapServers: kafka.saslServers, sasl: { mechanism: "SCRAM-SHA-256", username: "bob", password: "wrong" } }));
  await assert.rejects(kafkaClient.metadata(null), (error) => isMillraceError(error) && error.code === "KAFKA_AUTHENTICATION_FAILED" && error.message.includes('"bob"'));
  kafkaClient.close();
});

test("garbage and silence on the other side are errors, not hangs", { skip }, async () => {
  const { createServer } = await import("node:net");
  for (const answer of ["HTTP/1.1 400 Bad Request\r\n\r\n", "\x7f\xff\xff\xff\x00", ""]) {
    const server = createServer((socket) => void socket.on("error", () => undefined).resume().write(answer));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const kafkaClient = new KafkaClient(connectionSettings({ bootstrapServers: `127.0.0.1:${port}`, requestTimeoutMs: 300 }));
    await assert.rejects(kafkaClient.metadata(null), /not the protocol of Kafka|did not answer ApiVersions/);
    kafkaClient.close();
    await new Promise((resolve) => server.close(resolve));
  }
});
