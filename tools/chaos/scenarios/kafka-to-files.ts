import { checkTotals } from "../check/check-totals.js";
import { checkWindows } from "../check/check-windows.js";
import { FilesOutput } from "../ends/files.js";
import { KafkaInput } from "../ends/kafka.js";
import { jobModule, type Scenario } from "./scenario.js";

/** A key's entries come in order, and each partition has its own watermark: totals are known one by one, and nothing is late. */
export const kafkaToFiles: Scenario = {
  name: "kafka-to-files", what: "a Kafka topic → running totals and event-time windows → files", needs: ["kafka"],
  async open(world) {
    const input = await KafkaInput.open(world.kafka!, "chaos-in");
    const [totals, windows, late] = ["totals", "windows", "late"].map((name) => new FilesOutput(name, world.folder(`out-${name}`))) as [FilesOutput, FilesOutput, FilesOutput];
    return {
      module: jobModule("kafka-to-files"), args: ["--bootstrap-servers", world.kafka!.bootstrapServers, ...[input, totals, windows, late].flatMap(({ args }) => args)], input, progress: totals,
      async check(entries) {
        const [total, window, tooLate] = [await totals.readAll(), await windows.readAll(), await late.readAll()];
        return [
          ...[total, window, tooLate].flatMap(({ complaints }) => complaints), ...(tooLate.lines.length === 0 ? [] : [`${tooLate.lines.length} entries are late, such as ${tooLate.lines[0]}`]),
          ...checkTotals(entries, total.lines, { inputInOrder: true, outputInOrder: false }), ...checkWindows(entries, window.lines, tooLate.lines),
        ];
      },
      close: () => input.close(),
    };
  },
};
