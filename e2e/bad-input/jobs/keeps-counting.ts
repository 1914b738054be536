import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
const numbers = new DataGeneratorSource((index) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(200));
env.fromSource(numbers, WatermarkStrategy.noWatermarks(), "numbers").keyBy((n) => n % 3).reduce((a, b) => a + b).print("sum");
await env.execute();
