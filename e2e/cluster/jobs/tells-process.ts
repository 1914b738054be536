import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

/* Prints its name and the process it runs in, for ever; with `abort` the first attempt aborts its process. */
const [name, what] = process.argv.slice(2);
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSource(new DataGeneratorSource((index: number) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(200)), WatermarkStrategy.noWatermarks(), "numbers")
  .map((value) => {
    if (what === "abort" && value > 20) process.abort();
    return `${name} in process ${process.pid}.`;
  }).print();
await env.execute(`job ${name}`);
