import { DataGeneratorSource, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

/* Prints as fast as somebody takes it. */
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSource(new DataGeneratorSource((index: number) => index, Number.POSITIVE_INFINITY), WatermarkStrategy.noWatermarks(), "numbers")
  .map((value) => `${value} ${"x".repeat(1000)}`).print();
await env.execute("prints for ever");
