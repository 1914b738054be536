import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

/* Counts for ever, and shows nothing. */
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSource(new DataGeneratorSource((index: number) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(1000)), WatermarkStrategy.noWatermarks(), "ticks").rebalance().map((value) => value).discard();
await env.execute("ticks");
