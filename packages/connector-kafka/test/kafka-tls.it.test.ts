import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeCertificate } from "@millrace/cluster/certificates";
import { StringSchema, WatermarkStrategy } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../../tools/services/kafka/kafka-distribution.js";
import { KafkaClient } from "../src/client/kafka-client.js";
import { connectionSettings } from "../src/client/kafka-options.js";
import { KafkaSink, KafkaSource, OffsetsInitializer, type KafkaConnectionOptions, type TlsFiles } from "../src/index.js";
import { settledTransactions } from "./support/settled-transactions.js";

/* A broker that speaks TLS and asks clients for a certificate: with everything right, records go both ways; with anything wrong, the error says so. */
const skip = kafkaMissing() ?? false;
const directory = mkdtempSync(join(tmpdir(), "millrace-kafka-tls-"));
const miniCluster = new MiniCluster({ config: { "execution.checkpointing.interval": "100 ms" } });
const file = (name: string): string => join(directory, name);
const mutual: TlsFiles = { ca: file("ca.pem"), cert: file("client.pem"), key: file("client.key") };
let kafka: KafkaCluster;

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  await makeCertificate({ directory, name: "broker", hosts: ["127.0.0.1"] });
  await makeCertificate({ directory, name: "client", hosts: [] });
  await makeCertificate({ directory: file("others"), name: "stranger", hosts: [] });
  writeFileSync(file("keystore.pem"), readFileSync(file("broker.key"), "utf8") + readFileSync(file("broker.pem"), "utf8"));
  kafka = await KafkaCluster.start({ tls: { keystore: file("keystore.pem"), ca: file("ca.pem") } });
  await kafka.createTopic("encrypted", 2);
});
after(async () => {
  await miniCluster.stop();
  await kafka?.remove();
  rmSync(directory, { recursive: true });
});

async function metadata(tls: boolean | TlsFiles, more: Partial<KafkaConnectionOptions> = {}): Promise<number> {
  const client = new KafkaClient(connectionSettings({ bootstrapServers: kafka.tlsServers, tls, ...more }));
  try {
    return (await client.metadata(["encrypted"])).topics[0]!.partitions.length;
  } finally {
    client.close();
  }
}

test("records go both ways over mutual TLS, exactly once", { skip }, async () => {
  const connection = { bootstrapServers: kafka.tlsServers, tls: mutual };
  const expected = Array.from({ length: 500 }, (_, i) => `record ${i}`);
  const writing = StreamExecutionEnvironment.getExecutionEnvironment();
  writing.fromCollection(expected).sinkTo(KafkaSink.of({ ...connection, topic: "encrypted", value: StringSchema, deliveryGuarantee: "exactly-once", transactionalIdPrefix: "tls" }));
  await writing.execute();
  await settledTransactions(kafka.bootstrapServers, "tls");
  const reading = StreamExecutionEnvironment.getExecutionEnvironment();
  const source = KafkaSource.of({ ...connection, topics: "encrypted", stoppingOffsets: OffsetsInitializer.latest(), value: StringSchema });
  assert.deepEqual((await reading.fromSource(source, WatermarkStrategy.noWatermarks<string>(), "Kafka").executeAndCollect()).sort(), expected.sort());
});

test("a wrong certificate, or none, is refused by whoever it is shown to", { skip }, async () => {
  assert.equal(await metadata(mutual), 2);
  await assert.rejects(metadata(true), /certificate/i, "the system's authorities have not signed the broker's");
  await assert.rejects(metadata({ ...mutual, ca: join(directory, "others", "ca.pem") }), /certificate|signature/i);
  await assert.rejects(metadata({ ca: file("ca.pem") }), "a client without a certificate");
  await assert.rejects(metadata({ ca: file("ca.pem"), cert: join(directory, "others", "stranger.pem"), key: join(directory, "others", "stranger.key") }), "a client of another authority");
  await assert.rejects(metadata({ ...mutual, servername: "elsewhere.example" }), /altnames|hostname/i);
  // Each waits for the other's first words.
  await assert.rejects(metadata(mutual, { bootstrapServers: kafka.bootstrapServers, requestTimeoutMs: 2000 }), "a listener without TLS");
});
