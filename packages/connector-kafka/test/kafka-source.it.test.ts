import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { JsonSchema, StringSchema, WatermarkStrategy } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../../tools/services/kafka/kafka-distribution.js";
import { KafkaSource, MALFORMED_KAFKA_RECORDS, OffsetsInitializer, type KafkaRecord, type KafkaSourceOptions } from "../src/index.js";

const skip = kafkaMissing() ?? false;
const miniCluster = new MiniCluster();
let kafka: KafkaCluster;

before(async () => {
  miniCluster.start();
  if (skip === false) kafka = await KafkaCluster.start();
});
after(async () => {
  await miniCluster.stop();
  await kafka?.remove();
});

/** What a bounded source reads, up to what is there now. */
async function read<T>(options: Omit<KafkaSourceOptions<T>, "bootstrapServers">, parallelism: number = 2): Promise<T[]> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(parallelism);
  const source = KafkaSource.of<T>({ bootstrapServers: kafka.bootstrapServers, stoppingOffsets: OffsetsInitializer.latest(), ...options });
  return env.fromSource(source, WatermarkStrategy.noWatermarks(), "Kafka").executeAndCollect();
}

const lines = (count: number, prefix: string = "record"): string[] => Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
  test(`reads what Kafka's own producer writes with compression ${codec}`, { skip }, async () => {
    const topic = `codec-${codec}`;
    await kafka.createTopic(topic, 3);
    const expected = lines(2000, "naïve ☂ text that can be compressed");
    await kafka.tool("ConsoleProducer", ["--topic", topic, "--compression-codec", codec], expected.join("\n"));
    assert.deepEqual((await read({ topics: topic, value: StringSchema })).sort(), expected.sort());
  });
}

test("reads keys, headers, tombstones, offsets and time stamps", { skip }, async () => {
  await kafka.createTopic("whole");
  const started = Date.now();
  await kafka.tool("ConsoleProducer", ["--topic", "whole", "--property", "parse.key=true", "--property", "parse.headers=true", "--property", "null.marker=NULL"], "a:1,b:2\tk1\tv1\nc:3\tk2\tNULL\n");
  const records = await read({
    topics: ["whole"],
    deserializer: ({ topic, partition, offset, timestampMs, key, value, headers }: KafkaRecord) => ({
      at: `${topic}-${partition}@${offset}`, timestampMs, key: String(Buffer.from(key!)), value: value === null ? null : String(Buffer.from(value)),
      headers: headers.map((header) => `${header.key}=${String(Buffer.from(header.value!))}`).join(),
    }),
  });
  assert.deepEqual(records.map(({ at, key, value, headers }) => ({ at, key, value, headers })), [
    { at: "whole-0@0", key: "k1", value: "v1", headers: "a=1,b=2" },
    { at: "whole-0@1", key: "k2", value: null, headers: "c=3" },
  ]);
  for (const { timestampMs } of records) assert.ok(timestampMs >= started && timestampMs <= Date.now());
});

test("begins and ends at offsets, of partitions that are named", { skip }, async () => {
  await kafka.createTopic("offsets", 2);
  await kafka.tool("ConsoleProducer", ["--topic", "offsets", "--property", "parse.key=true"], lines(40).map((line, i) => `${i % 7}\t${line}`).join("\n"));
  const all = await read({ topics: "offsets", deserializer: ({ partition, offset }) => ({ partition, offset }) });
  assert.equal(all.length, 40);
  const some = await read({
    partitions: [{ topic: "offsets", partition: 1 }], startingOffsets: OffsetsInitializer.offsets({ "offsets-1": 3 }), stoppingOffsets: OffsetsInitializer.offsets({ "offsets-1": 6 }),
    deserializer: ({ partition, offset }) => `${partition}@${offset}`,
  });
  assert.deepEqual(some, ["1@3", "1@4", "1@5"]);
  assert.deepEqual(await read({ topicPattern: /off.*/, startingOffsets: OffsetsInitializer.latest(), value: StringSchema }), []);
  assert.deepEqual(await read({ topicPattern: /off/, value: StringSchema }), [], "a pattern means the whole name");
  assert.equal((await read({ topicPattern: /o.*s/, startingOffsets: OffsetsInitializer.timestamp(1), value: StringSchema })).length, 40);
  assert.deepEqual(await read({ topics: "offsets", startingOffsets: OffsetsInitializer.timestamp(Date.now() + 1e9), value: StringSchema }), []);
});

test("a record that cannot be read fails the job, is left out, or goes to the side output", { skip }, async () => {
  await kafka.createTopic("poison");
  await kafka.tool("ConsoleProducer", ["--topic", "poison"], '{"n":1}\n{"n":\n{"n":3}\n');
  const options = { topics: "poison", value: JsonSchema.of<{ n: number }>() };
  await assert.rejects(read(options), (error: Error) => /KAFKA_RECORD_MALFORMED|offset 1 of poison-0 is no JSON/.test(JSON.stringify(error) + error.message + String((error.cause as Error | undefined)?.message)));
  assert.deepEqual(await read({ ...options, onError: "skip" }), [{ n: 1 }, { n: 3 }]);
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const source = KafkaSource.of({ bootstrapServers: kafka.bootstrapServers, stoppingOffsets: OffsetsInitializer.latest(), ...options, onError: "side-output" });
  const malformed = await env.fromSource(source, WatermarkStrategy.noWatermarks(), "Kafka").getSideOutput(MALFORMED_KAFKA_RECORDS).map(({ offset, value }) => `${offset}: ${String(Buffer.from(value!))}`).executeAndCollect();
  assert.deepEqual(malformed, ['1: {"n":']);
});

test("topics, partitions and offsets that are not there are named", { skip }, async () => {
  await kafka.createTopic("small");
  const failure = async (options: Omit<KafkaSourceOptions<string>, "bootstrapServers" | "value">): Promise<string> => {
    const error = await read({ ...options, value: StringSchema }).then(() => assert.fail("it read"), (thrown: Error) => thrown);
    const texts: string[] = [];
    for (let cause: Error | undefined = error; cause !== undefined; cause = cause.cause as Error | undefined) texts.push(cause.message);
    return texts.join("\n");
  };
  assert.match(await failure({ topics: "smal" }), /there is no topic "smal"/);
  assert.match(await failure({ partitions: [{ topic: "small", partition: 4 }] }), /no partition 4 of topic "small": it has 1/);
  assert.match(await failure({ topics: "small", groupId: "nobody", startingOffsets: OffsetsInitializer.committedOffsets() }), /group "nobody" has committed no offset of small-0/);
  assert.match(await failure({ topics: "small", startingOffsets: OffsetsInitializer.offsets({ "small-0": 17 }), stoppingOffsets: OffsetsInitializer.offsets({ "small-0": 20 }) }), /offset 17 of small-0 is not there/);
});
