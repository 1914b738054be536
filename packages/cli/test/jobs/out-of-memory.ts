import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
const kept: unknown[] = [];
env.fromSequence(1, 1e9).map((value) => {
  kept.push(Array.from({ length: 100 }, (_, i) => ({ value, i })));
  return value;
}).filter((value) => value < 0).print();
await env.execute();
