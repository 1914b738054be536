import { checkLatest } from "../check/check-latest.js";
import { checkTotals } from "../check/check-totals.js";
import { KafkaInput } from "../ends/kafka.js";
import { PostgresOutput } from "../ends/postgres.js";
import { jobModule, type Scenario } from "./scenario.js";

/** A key's entries come in order. Each total is a row of its own, and the last of each key is a row that is written again and again, which locks it between checkpoints. */
export const kafkaToPostgres: Scenario = {
  name: "kafka-to-postgres", what: "a Kafka topic → running totals → PostgreSQL: a row for each, and the last of each key", needs: ["kafka", "postgres"],
  async open(world) {
    const input = await KafkaInput.open(world.kafka!, "chaos-in");
    const totals = await PostgresOutput.open(world.postgres!, "totals");
    const latest = await PostgresOutput.open(world.postgres!, "latest", "PRIMARY KEY (key)");
    return {
      module: jobModule("kafka-to-postgres"), args: ["--bootstrap-servers", world.kafka!.bootstrapServers, "--database", world.postgres!.url, ...[input, totals, latest].flatMap(({ args }) => args)],
      input, progress: totals,
      async check(entries) {
        const [all, last] = [await totals.readAll(), await latest.readAll()];
        return [...all.complaints, ...checkTotals(entries, all.lines, { inputInOrder: true, outputInOrder: false }), ...checkLatest(all.lines, last.lines)];
      },
      close: () => input.close(),
    };
  },
};
