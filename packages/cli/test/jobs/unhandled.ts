import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSequence(1, 1e12).map((value) => {
  if (value === 1) void Promise.reject(new Error("nobody awaits this"));
  return value;
}).filter((value) => value < 0).print();
await env.execute();
