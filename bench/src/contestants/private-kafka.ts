import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";

/** One broker for all works that need Kafka, with topics that are filled once. It shares the benchmark's cores with whoever is measured. */
let running: Promise<KafkaCluster> | undefined;
const filled = new Map<string, Promise<string>>();

const PARTITIONS = 4;

export function kafka(): Promise<KafkaCluster> {
  running ??= KafkaCluster.start();
  return running;
}

/** A topic of four partitions with so many random records of letters, written by Kafka's own performance tool. */
export function filledTopic(records: number, recordBytes: number): Promise<string> {
  const name = `records-${records}-${recordBytes}`;
  let topic = filled.get(name);
  if (topic === undefined) filled.set(name, (topic = fill(name, records, recordBytes)));
  return topic;
}

async function fill(topic: string, records: number, recordBytes: number): Promise<string> {
  const cluster = await kafka();
  await cluster.createTopic(topic, PARTITIONS);
  await cluster.tool("ProducerPerformance", [
    "--topic", topic, "--num-records", String(records), "--record-size", String(recordBytes), "--throughput", "-1",
    "--producer-props", `bootstrap.servers=${cluster.bootstrapServers}`, "batch.size=131072", "linger.ms=20",
  ]);
  return topic;
}

let made = 0;

/** An empty topic that nobody else writes to. */
export async function emptyTopic(): Promise<string> {
  const name = `output-${made++}`;
  await (await kafka()).createTopic(name, PARTITIONS);
  return name;
}

/** Ends the broker, if one runs; its topics go with it. */
export async function stopKafka(): Promise<void> {
  const cluster = running;
  running = undefined;
  filled.clear();
  await (await cluster?.catch(() => undefined))?.remove();
}
