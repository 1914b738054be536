import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSequence(1, Number.MAX_SAFE_INTEGER).map((n) => {
  if (n === 1) void Promise.reject(new Error("nobody awaits this"));
  return n;
}).name("Forgetter").filter((n) => n < 0).print();
await env.execute();
