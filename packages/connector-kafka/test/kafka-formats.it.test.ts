import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WatermarkStrategy } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { ConfluentAvroSchema } from "@millrace/format-avro";
import type { AvroNode } from "@millrace/format-avro";
import { DebeziumJson } from "@millrace/format-changelog";
import { ConfluentProtobufSchema } from "@millrace/format-protobuf";
import { MiniCluster } from "@millrace/testkit";
import { RegistryServer } from "../../schema-registry/test/support/registry-server.js";
import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../../tools/services/kafka/kafka-distribution.js";
import { KafkaSink, KafkaSource, OffsetsInitializer } from "../src/index.js";
import type { KafkaSourceOptions } from "../src/index.js";

const skip = kafkaMissing() ?? false;
const miniCluster = new MiniCluster();
let kafka: KafkaCluster;
let registry: RegistryServer;

before(async () => {
  miniCluster.start();
  registry = await RegistryServer.start();
  if (skip === false) kafka = await KafkaCluster.start();
});
after(async () => {
  await miniCluster.stop();
  await registry.stop();
  await kafka?.remove();
});

function environment(): StreamExecutionEnvironment {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(2);
  return env;
}
async function read<T>(options: Omit<KafkaSourceOptions<T>, "bootstrapServers">): Promise<T[]> {
  const source = KafkaSource.of<T>({ bootstrapServers: kafka.bootstrapServers, stoppingOffsets: OffsetsInitializer.latest(), ...options });
  return environment().fromSource(source, WatermarkStrategy.noWatermarks(), "Kafka").executeAndCollect();
}

test("records of two versions of a schema go through Kafka, their schemas through the registry", { skip }, async () => {
  await kafka.createTopic("orders", 3);
  const v1: AvroNode = { type: "record", name: "Order", fields: [{ name: "id", type: "long" }] };
  const v2: AvroNode = { ...v1, fields: [...v1.fields!, { name: "note", type: "string", default: "none" }] };
  const settings = { registry: { url: registry.url }, topic: "orders" };
  const write = async (schema: AvroNode, orders: readonly { readonly id: bigint }[]): Promise<void> => {
    const env = environment();
    env.fromData([...orders]).sinkTo(KafkaSink.of({ bootstrapServers: kafka.bootstrapServers, topic: "orders", value: ConfluentAvroSchema.of({ ...settings, schema }) }));
    await env.execute();
  };
  await write(v1, Array.from({ length: 500 }, (_, i) => ({ id: BigInt(i) })));
  await write(v2, Array.from({ length: 500 }, (_, i) => ({ id: BigInt(500 + i), note: "new" })));
  const found = await read<{ id: bigint; note: string }>({ topics: "orders", value: ConfluentAvroSchema.of<{ id: bigint; note: string }>({ ...settings, schema: v2 }) });
  assert.deepEqual(found.sort((a, b) => Number(a.id - b.id)), Array.from({ length: 1000 }, (_, i) => ({ id: BigInt(i), note: i < 500 ? "none" : "new" })));
  // The registry is asked once for each of the two ids.
  assert.deepEqual(registry.requests.filter((request) => request.startsWith("GET")).sort(), ["GET /schemas/ids/1", "GET /schemas/ids/2"]);

  await kafka.createTopic("strangers", 1);
  const env = environment();
  env.fromData([0]).sinkTo(KafkaSink.of<number>({ bootstrapServers: kafka.bootstrapServers, topic: "strangers", value: () => Uint8Array.from([0, 0, 0, 0, 99, 2]) }));
  await env.execute();
  const strangers = { topics: "strangers", value: ConfluentAvroSchema.of<{ id: bigint }>({ ...settings, schema: v1 }) };
  await assert.rejects(read(strangers), (error: Error) => /schema with id 99/.test(JSON.stringify(error, ["message", "cause"])));
  assert.deepEqual(await read({ ...strangers, onError: "skip" }), []);
});

test("Protocol Buffers behind the id of their schema go through Kafka", { skip }, async () => {
  await kafka.createTopic("parcels", 3);
  const definition = { proto: 'syntax = "proto3"; message Stamp { int32 cents = 1; } message Parcel { int64 id = 1; repeated Stamp stamps = 2; }', message: "Parcel" };
  const settings = { registry: { url: registry.url }, topic: "parcels" };
  const parcels = Array.from({ length: 500 }, (_, i) => ({ id: BigInt(i), stamps: [{ cents: i }, { cents: 1 }] }));
  const env = environment();
  env.fromData(parcels).sinkTo(KafkaSink.of({ bootstrapServers: kafka.bootstrapServers, topic: "parcels", value: ConfluentProtobufSchema.of({ ...settings, ...definition }) }));
  await env.execute();
  for (const known of [definition, {}]) {
    const found = await read<{ id: bigint }>({ topics: "parcels", value: ConfluentProtobufSchema.of<{ id: bigint }>({ ...settings, ...known }) });
    assert.deepEqual(found.sort((a, b) => Number(a.id - b.id)), parcels);
  }
});

test("a message of two rows and a tombstone", { skip }, async () => {
  await kafka.createTopic("changes", 1);
  const messages = [
    { before: null, after: { id: 1, n: 1 }, op: "c" }, { before: { id: 1, n: 1 }, after: { id: 1, n: 2 }, op: "u" }, { before: { id: 1, n: 2 }, after: null, op: "d" }, null, { op: "?" },
  ];
  const env = environment();
  env.setParallelism(1);
  env.fromData(messages.map((message) => ({ message }))).sinkTo(KafkaSink.of<{ message: unknown }>({
    bootstrapServers: kafka.bootstrapServers, topic: "changes", key: () => "1", value: ({ message }) => (message === null ? null : JSON.stringify(message)),
  }));
  await env.execute();
  const found = await read({ topics: "changes", value: DebeziumJson.of<{ id: number; n: number }>(), onError: "skip" });
  assert.deepEqual(found.map(({ kind, row }) => `${kind}${row.n}`), ["+I1", "-U1", "+U2", "-D2"]);
});
