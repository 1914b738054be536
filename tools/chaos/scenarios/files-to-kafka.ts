import { join } from "node:path";
import { checkTotals } from "../check/check-totals.js";
import { FilesInput } from "../ends/files.js";
import { KafkaOutput } from "../ends/kafka.js";
import { jobModule, type Scenario } from "./scenario.js";

/** Files are read in any order; the results of a key are in the order in which they were made. */
export const filesToKafka: Scenario = {
  name: "files-to-kafka", what: "files that come one by one → running totals → a Kafka topic", needs: ["kafka"],
  async open(world) {
    const input = new FilesInput(join(world.cluster.directory, "input"));
    const output = await KafkaOutput.open(world.kafka!, "chaos-out");
    return {
      module: jobModule("files-to-kafka"), args: ["--bootstrap-servers", world.kafka!.bootstrapServers, ...input.args, ...output.args], input, progress: output,
      async check(entries) {
        const { lines, complaints } = await output.readAll();
        return [...complaints, ...checkTotals(entries, lines, { inputInOrder: false, outputInOrder: true })];
      },
      close: () => output.close(),
    };
  },
};
