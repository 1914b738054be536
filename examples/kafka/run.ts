/**
 * Runs word-count.ts against a Kafka of its own, which is gone afterwards: `node --import tsx examples/kafka/run.ts [--input FILE]` (needs Java and Maven).
 * Writes the lines of the file to a topic, runs the job, and prints the ten most frequent words, read back from the topic of counts.
 */
import { readFileSync } from "node:fs";
import { KafkaSource, OffsetsInitializer } from "@millrace/connector-kafka";
import { ParameterTool, runJob, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";
import { KafkaCluster } from "../../tools/services/kafka/kafka-cluster.js";

const input = ParameterTool.fromArgs(process.argv.slice(2)).get("input") ?? new URL("../data/words.txt", import.meta.url);
const kafka = await KafkaCluster.start();
try {
  const { bootstrapServers } = kafka;
  await Promise.all([kafka.createTopic("lines", 2), kafka.createTopic("counts", 2, { "cleanup.policy": "compact" }), kafka.createTopic("dead-letters")]);
  await kafka.tool("ConsoleProducer", ["--topic", "lines"], readFileSync(input));
  await runJob(new URL("word-count.ts", import.meta.url), { args: ["--bootstrap", bootstrapServers] });

  const counts = new Map<string, number>();
  for (const [word, count] of await readCounts(bootstrapServers)) counts.set(word, count);
  for (const [word, count] of [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 10)) console.log(`${word} ${count}`);
} finally {
  await kafka.remove();
}

/** All upserts, those of a word in the order they were written. */
function readCounts(bootstrapServers: string): Promise<(readonly [string, number])[]> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const source = KafkaSource.of<readonly [string, number]>({
    bootstrapServers, topics: "counts", stoppingOffsets: OffsetsInitializer.latest(), deserializer: ({ key, value }) => [String(Buffer.from(key!)), Number(String(Buffer.from(value!)))],
  });
  return env.fromSource(source, WatermarkStrategy.noWatermarks<readonly [string, number]>(), "Counts").executeAndCollect();
}
