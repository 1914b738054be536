import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { JsonSchema, StringSchema, WatermarkStrategy } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../../tools/services/kafka/kafka-distribution.js";
import { KafkaSink, KafkaSource, OffsetsInitializer, type KafkaSinkOptions } from "../src/index.js";
import { settledTransactions } from "./support/settled-transactions.js";

const skip = kafkaMissing() ?? false;
const miniCluster = new MiniCluster({ config: { "execution.checkpointing.interval": "100 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 100, "restart-strategy.fixed-delay.delay": "10 ms" } });
let kafka: KafkaCluster;

before(async () => {
  miniCluster.start();
  if (skip === false) kafka = await KafkaCluster.start();
});
after(async () => {
  await miniCluster.stop();
  await kafka?.remove();
});

async function write<T>(values: readonly T[], options: Omit<KafkaSinkOptions<T>, "bootstrapServers">, parallelism: number = 2): Promise<void> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(parallelism);
  env.fromCollection(values).rebalance().sinkTo(KafkaSink.of<T>({ bootstrapServers: kafka.bootstrapServers, ...options }));
  await env.execute();
}

async function read(topic: string): Promise<string[]> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const source = KafkaSource.of({ bootstrapServers: kafka.bootstrapServers, topics: topic, stoppingOffsets: OffsetsInitializer.latest(), value: StringSchema });
  return env.fromSource(source, WatermarkStrategy.noWatermarks(), "Kafka").executeAndCollect();
}

/** As Kafka's own consumer sees it. */
async function consume(topic: string, count: number, ...more: string[]): Promise<string[]> {
  const text = await kafka.tool("ConsoleConsumer", ["--topic", topic, "--from-beginning", "--max-messages", String(count), "--isolation-level", "read_committed", ...more]);
  return text.trimEnd().split("\n");
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

for (const compression of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
  test(`Kafka's own consumer reads what is written with compression ${compression}`, { skip }, async () => {
    const topic = `written-${compression}`;
    await kafka.createTopic(topic, 3);
    const expected = numbers(3000).map((n) => `☂ record number ${n}`);
    await write(expected, { topic, value: StringSchema, compression });
    assert.deepEqual((await consume(topic, 3000)).sort(), expected.sort());
  });
}

test("keys choose partitions as Kafka's own producer does; headers, time stamps and tombstones arrive", { skip }, async () => {
  for (const topic of ["keys-ours", "keys-theirs"]) await kafka.createTopic(topic, 5);
  const keys = numbers(40).map((n) => `key ${n} ☂`);
  await kafka.tool("ConsoleProducer", ["--topic", "keys-theirs", "--property", "parse.key=true"], keys.map((key) => `${key}\t-`).join("\n"));
  await write(keys, { topic: "keys-ours", key: (key) => key, value: () => "-" });
  const print = ["--formatter-property", "print.key=true", "--formatter-property", "print.partition=true", "--formatter-property", "print.value=false"];
  assert.deepEqual((await consume("keys-ours", 40, ...print)).sort(), (await consume("keys-theirs", 40, ...print)).sort());

  await kafka.createTopic("parts");
  await write([{ id: 7, deleted: true }], {
    topic: "parts", key: ({ id }) => String(id), value: () => null, headers: () => ({ source: "test", raw: new Uint8Array([104, 105]) }), timestampMs: () => 1234567890123,
  }, 1);
  assert.deepEqual(await consume("parts", 1, "--formatter-property", "print.key=true", "--formatter-property", "print.timestamp=true", "--formatter-property", "print.headers=true"), ["CreateTime:1234567890123\tsource:test,raw:hi\t7\tnull"]);
});

test("exactly once: no record is lost or doubled while the job fails again and again", { skip }, async () => {
  await kafka.createTopic("exactly-once", 3);
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(2);
  let seen = 0;
  let failures = 0;
  const expected = numbers(20_000);
  env.fromCollection(expected).rebalance().map((value) => {
    // Each attempt gets further than the one before; some records of every attempt are written and must not be seen.
    if (++seen > 3000 * (failures + 1) && failures < 4) {
      failures++;
      seen = 0;
      throw new Error("as planned");
    }
    return value;
  }).sinkTo(KafkaSink.of({ bootstrapServers: kafka.bootstrapServers, topic: "exactly-once", value: StringSchema, deliveryGuarantee: "exactly-once", transactionalIdPrefix: "eo" }));
  await env.execute();
  assert.equal(failures, 4);
  assert.deepEqual(await settledTransactions(kafka.bootstrapServers, "eo"), [], "a transaction was left open");
  assert.deepEqual((await read("exactly-once")).sort(), expected.sort());
  assert.equal((await consume("exactly-once", 20_000)).length, 20_000);
  const open = (await kafka.tool("TransactionsCommand", ["list"])).split("\n").filter((line) => line.startsWith("eo-") && /Ongoing|Prepare/.test(line));
  assert.deepEqual(open, [], "a transaction was left open");
});

test("what cannot be is refused when the job starts", { skip }, async () => {
  await kafka.createTopic("refused");
  const options = { topic: "refused", value: JsonSchema.of<string>() };
  const failure = async (more: Partial<KafkaSinkOptions<string>>): Promise<string> => {
    const thrown = await write(["x"], { ...options, ...more }).then(() => assert.fail("it wrote"), (error: Error) => error);
    const texts: string[] = [];
    for (let cause: Error | undefined = thrown; cause !== undefined; cause = cause.cause as Error | undefined) texts.push(cause.message);
    return texts.join("\n");
  };
  assert.match(await failure({ topic: "refuse" }), /there is no topic "refuse"/);
  assert.match(await failure({ deliveryGuarantee: "exactly-once" }), /transactionalIdPrefix: exactly-once needs one/);
  assert.match(await failure({ deliveryGuarantee: "exactly-once", transactionalIdPrefix: "r", transactionTimeoutMs: 3_600_000 }), /longer than the brokers allow/);
  assert.match(await failure({ partition: () => 9 }), /chose partition 9 of topic "refused", which has 1/);
});
