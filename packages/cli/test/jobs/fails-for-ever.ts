import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment({ "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 1, "restart-strategy.fixed-delay.delay": "1 ms" });
env.fromData(1, 2).map((value): number => {
  throw new RangeError(`no ${value}`);
}).name("Checker").print();
await env.execute();
