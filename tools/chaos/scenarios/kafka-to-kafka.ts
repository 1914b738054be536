import { checkTotals } from "../check/check-totals.js";
import { KafkaInput, KafkaOutput } from "../ends/kafka.js";
import { jobModule, type Scenario } from "./scenario.js";

/** A key's entries come in order and its results go to one partition: order is promised from end to end. */
export const kafkaToKafka: Scenario = {
  name: "kafka-to-kafka", what: "a Kafka topic → running totals → a Kafka topic, in order per key", needs: ["kafka"],
  async open(world) {
    const input = await KafkaInput.open(world.kafka!, "chaos-in");
    const output = await KafkaOutput.open(world.kafka!, "chaos-out");
    return {
      module: jobModule("kafka-to-kafka"), args: ["--bootstrap-servers", world.kafka!.bootstrapServers, ...input.args, ...output.args], input, progress: output,
      async check(entries) {
        const { lines, complaints } = await output.readAll();
        return [...complaints, ...checkTotals(entries, lines, { inputInOrder: true, outputInOrder: true })];
      },
      close: async () => void (await Promise.all([input.close(), output.close()])),
    };
  },
};
