import { StreamExecutionEnvironment, type Collector } from "millrace";

interface WordCount {
  readonly word: string;
  readonly count: number;
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData("to be or not to be", "that is the question")
  .flatMap((line: string, out: Collector<WordCount>) => {
    for (const word of line.split(" ")) out.collect({ word, count: 1 });
  })
  .keyBy((record) => record.word)
  .sum("count")
  .map(({ word, count }) => `${word} ${count}`)
  .print();
await env.execute("word count");
