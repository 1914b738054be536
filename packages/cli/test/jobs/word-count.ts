import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
const lines = process.argv.slice(2);
env.fromData(lines.length > 0 ? lines : ["to be or", "not to be"])
  .flatMap<{ word: string; count: number }>((line, out) => {
    for (const word of line.split(" ")) out.collect({ word, count: 1 });
  })
  .keyBy((entry) => entry.word)
  .sum("count")
  .map((entry) => `${entry.word} ${entry.count}`)
  .print();
const result = await env.execute("word count");
console.log(`after ${result.jobName}`);
