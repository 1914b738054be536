import { flink } from "../contestants/flink.js";
import { millrace } from "../contestants/millrace.js";
import { filledTopic, kafka, stopKafka } from "../contestants/private-kafka.js";
import type { Contestant, Sample, Work } from "../work.js";
import { throughputFigure } from "./throughput.js";

function kafkaCount(recordBytes: number, full: number): Work {
  return {
    name: `kafka-${recordBytes}b`,
    title: `Kafka source → count → discard, ${recordBytes}-byte records, one broker on the same cores, 4 partitions`,
    goal: "≥ Flink",
    full: { records: full },
    smoke: { records: 20_000 },
    async contestants({ size, progress }) {
      progress("fills the topics");
      const topic = await filledTopic(size.records, recordBytes);
      const warmup = await filledTopic(Math.ceil(size.records / 4), recordBytes);
      const args = ["--bootstrap", (await kafka()).bootstrapServers, "--topic", topic];
      return [millrace({ job: "kafka-count", args }), flink({ work: "kafka-count", args: [...args, "--warmup-topic", warmup] }), javaConsumer(topic)];
    },
    figures: (medians) => [throughputFigure(medians, 1)],
    finish: stopKafka,
  };
}

export const kafka100: Work = kafkaCount(100, 10_000_000);
export const kafka1000: Work = kafkaCount(1000, 2_000_000);

/** Kafka's own measure of its Java client: polls everything and looks at nothing. It gives no checksum. */
function javaConsumer(topic: string): Contestant {
  return {
    name: "loop",
    checks: false,
    async run({ size }): Promise<Sample> {
      const cluster = await kafka();
      const report = await cluster.tool("ConsumerPerformance", ["--topic", topic, "--num-records", String(size.records), "--timeout", "60000"]);
      // start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, …
      const [, , , , records, , , fetchMs] = report.trim().split("\n").at(-1)!.split(",").map((cell) => Number(cell));
      return { records: records!, seconds: fetchMs! / 1000, cpuSeconds: Number.NaN, peakRssKb: Number.NaN, outputs: records!, checksum: 0, extras: {} };
    },
  };
}
