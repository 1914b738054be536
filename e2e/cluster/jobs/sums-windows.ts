import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, TumblingEventTimeWindows, WatermarkStrategy, commutative } from "millrace";

/** Sums of few keys in windows of a second, with nothing said about where they are added up. */
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSource(
  new DataGeneratorSource((index: number) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(5000)),
  WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner((value) => value), "numbers")
  .keyBy((value) => value % 10).window(TumblingEventTimeWindows.of("1 s")).reduce(commutative((a: number, b: number) => a + b)).name("sums").discard();
await env.execute("sums of windows");
