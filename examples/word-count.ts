/**
 * Word count: `millrace run examples/word-count.ts --input FILE`.
 *
 * Prints a running count for every word as it is read. With `-D execution.runtime-mode=BATCH` each word is printed once, with its final count.
 */
import { FileSource, ParameterTool, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const input = parameters.get("input") ?? new URL("data/words.txt", import.meta.url);

const env = StreamExecutionEnvironment.getExecutionEnvironment();

env.fromSource(FileSource.lines(input), WatermarkStrategy.noWatermarks(), "Lines")
  .flatMap<{ word: string; count: number }>((line, out) => {
    for (const [word] of line.toLowerCase().matchAll(/[\p{L}\p{N}']+/gu)) out.collect({ word, count: 1 });
  })
  .keyBy("word")
  .sum("count")
  .map(({ word, count }) => `${word} ${count}`)
  .print();

await env.execute("Word count");
