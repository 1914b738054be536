import { flink } from "../contestants/flink.js";
import { millrace } from "../contestants/millrace.js";
import { emptyTopic, filledTopic, kafka, stopKafka } from "../contestants/private-kafka.js";
import { formatCount, formatRatio } from "../report/table.js";
import type { Contestant, RunContext, Work } from "../work.js";

const GOAL_COST = 0.15;
type Guarantee = "exactly-once" | "at-least-once";

/** Kafka → Kafka with a checkpoint every second, in transactions and without. */
export const work: Work = {
  name: "kafka-exactly-once",
  title: "Kafka → Kafka, 100-byte records, exactly once with a checkpoint every second, and at least once",
  goal: `≥ Flink; exactly once costs ≤ ${GOAL_COST * 100} %`,
  full: { records: 5_000_000 },
  smoke: { records: 20_000 },
  async contestants({ size, progress }) {
    progress("fills the topics");
    const topic = await filledTopic(size.records, 100);
    const warmup = await filledTopic(Math.ceil(size.records / 4), 100);
    const inputs = ["--bootstrap", (await kafka()).bootstrapServers, "--topic", topic];
    const ours = (name: string, guarantee: Guarantee): Contestant => toEmptyTopic(name, false, (output, context) =>
      millrace({ job: "kafka-copy", args: [...inputs, "--guarantee", guarantee, "--output", output], config: { "execution.checkpointing.interval": "1 s" } }).run(context));
    const theirs = (name: string, guarantee: Guarantee): Contestant => toEmptyTopic(name, true, (output, context) =>
      flink({ work: "kafka-copy", args: [...inputs, "--warmup-topic", warmup, "--guarantee", guarantee, "--output", output, "--checkpoint-ms", "1000"] }).run(context));
    return [ours("millrace", "exactly-once"), ours("millrace-at-least-once", "at-least-once"), theirs("flink", "exactly-once"), theirs("flink-at-least-once", "at-least-once")];
  },
  figures(medians) {
    const rate = (name: string): number => medians.get(name)?.recordsPerSecond ?? Number.NaN;
    const row = (what: string, ours: number, flinks: number, goal: boolean) => ({
      what, millrace: formatCount(ours), flink: formatCount(flinks), limit: "", ratio: formatRatio(ours / flinks), goal: goal ? "≥ 1 ×" : "",
      met: !goal || Number.isNaN(flinks) ? undefined : ours >= flinks,
    });
    const cost = 1 - rate("millrace") / rate("millrace-at-least-once");
    const percent = (value: number): string => (Number.isNaN(value) ? "" : `${(100 * value).toFixed(1)} %`);
    return [
      row("records/s, exactly once", rate("millrace"), rate("flink"), true),
      row("records/s, at least once", rate("millrace-at-least-once"), rate("flink-at-least-once"), false),
      {
        what: "cost of exactly once", millrace: percent(cost), flink: percent(1 - rate("flink") / rate("flink-at-least-once")), limit: "", ratio: "", goal: `≤ ${GOAL_COST * 100} %`, met: cost <= GOAL_COST,
      },
    ];
  },
  finish: stopKafka,
};

function toEmptyTopic(name: string, isFlink: boolean, run: (output: string, context: RunContext) => ReturnType<Contestant["run"]>): Contestant {
  return { name, isFlink, run: async (context) => run(await emptyTopic(), context) };
}
