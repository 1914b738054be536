import { StreamExecutionEnvironment, type Collector } from "millrace";

/* The word count of cold-start, which prints when it put something out. */
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData("to be or not to be", "that is the question")
  .flatMap((line: string, out: Collector<{ readonly word: string; readonly count: number }>) => {
    for (const word of line.split(" ")) out.collect({ word, count: 1 });
  })
  .keyBy((record) => record.word)
  .sum("count")
  .map(({ word, count }) => `${word} ${count} @${Date.now()}`)
  .print();
await env.execute("submitted word count");
