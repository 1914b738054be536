import { StreamExecutionEnvironment } from "millrace";

console.log("top level");
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSequence(1, 2).rebalance().map((value) => {
  console.log("seen", value);
  process.stdout.write("in two ");
  process.stdout.write(`parts ${value}\n`);
  console.error("problem", value);
  return value;
}).name("Logger").print();
await env.execute();
