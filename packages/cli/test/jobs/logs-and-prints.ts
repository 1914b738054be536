import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSequence(1, 20).map((value) => {
  console.log(`seen ${value}`);
  return value;
}).print();
await env.execute();
