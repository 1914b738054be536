import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

/** Prints once, then spins in a function of its own: for ever with `--for-ever`. */
function burnTime(forMs: number): number {
  let x = 1;
  for (const end = Date.now() + forMs; Date.now() < end; ) x = Math.sqrt(x + 1);
  return x;
}

let told = false;
const forMs = process.argv.includes("--for-ever") ? 3_600_000 : 5;
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSource(new DataGeneratorSource((index: number) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(1000)), WatermarkStrategy.noWatermarks(), "numbers")
  .rebalance()
  .map((value) => {
    if (!told) console.log("written by a function");
    told = true;
    return value + burnTime(forMs);
  })
  .name("burning").setParallelism(1).discard();
await env.execute("keeps busy");
