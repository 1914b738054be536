/**
 * Word count from topic to topic: `millrace run examples/kafka/word-count.ts --bootstrap HOST:PORT [--lines TOPIC] [--counts TOPIC] [--follow]`.
 *
 * Reads lines, and keeps the count of every word in a topic of upserts: the last record of a word is its count. Ends when it has read what there was at the start,
 * or with `--follow` never. Lines that are not UTF-8 go to the topic `dead-letters`, with the reason in a header.
 */
import { KafkaSink, KafkaSource, MALFORMED_KAFKA_RECORDS, OffsetsInitializer, type MalformedKafkaRecord } from "@millrace/connector-kafka";
import { ParameterTool, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const bootstrapServers = parameters.required("bootstrap");

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.enableCheckpointing("1 s");

const utf8 = new TextDecoder("utf-8", { fatal: true });
const source = KafkaSource.of<string>({
  bootstrapServers, topics: parameters.get("lines") ?? "lines", groupId: "word-count", onError: "side-output",
  deserializer: ({ value }) => (value === null ? undefined : utf8.decode(value)),
  ...(parameters.has("follow") ? {} : { stoppingOffsets: OffsetsInitializer.latest() }),
});
const lines = env.fromSource(source, WatermarkStrategy.noWatermarks<string>(), "Lines");

lines
  .flatMap<{ word: string; count: number }>((line, out) => {
    for (const [word] of line.toLowerCase().matchAll(/[\p{L}\p{N}']+/gu)) out.collect({ word, count: 1 });
  })
  .keyBy("word")
  .sum("count")
  .sinkTo(KafkaSink.upserts<{ word: string; count: number }>({ bootstrapServers, topic: parameters.get("counts") ?? "counts", key: ({ word }) => word, value: ({ count }) => String(count) }))
  .name("Counts").uid("counts");

lines.getSideOutput(MALFORMED_KAFKA_RECORDS).sinkTo(KafkaSink.of<MalformedKafkaRecord>({
  bootstrapServers, topic: "dead-letters", key: ({ key }) => key, value: ({ value }) => value,
  headers: ({ topic, partition, offset, message }) => ({ from: `${topic}-${partition} ${offset}`, reason: message }),
})).name("Dead letters").uid("dead-letters");

await env.execute("Kafka word count");
