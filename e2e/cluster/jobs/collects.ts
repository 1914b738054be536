import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

/** Collects numbered records of 4 KB (1000 a second until the file `--hurry` exists), holds them against what is missing or twice, and prints what it found. */
const { values: { records, began, hurry, batch } } = parseArgs({ options: { records: { type: "string" }, began: { type: "string" }, hurry: { type: "string" }, batch: { type: "boolean" } } });
const count = Number(records);
const env = StreamExecutionEnvironment.getExecutionEnvironment();
if (batch) env.setRuntimeMode("BATCH");
let hasHurried = hurry === undefined;
const hurries = (): boolean => {
  hasHurried ||= existsSync(hurry!);
  return hasHurried;
};
const rate: RateLimiterStrategy = {
  createRateLimiter(context) {
    const slow = RateLimiterStrategy.perSecond(1000).createRateLimiter(context);
    return { take: (wanted) => (hurries() ? wanted : slow.take(wanted)), available: () => slow.available() };
  },
};
const source = new DataGeneratorSource((index: number) => index + 1, count, rate);
const collected = env.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers").setParallelism(1)
  .map((n) => ({ n, text: `${n} `.padEnd(4096, "x") })).setParallelism(1).collectAsync();
const client = await env.executeAsync("collects");
const seen = new Uint8Array(count + 1);
let inOrder = true;
let last = 0;
for await (const { n, text } of collected) {
  if (last === 0) writeFileSync(began!, "");
  if (!text.startsWith(`${n} `) || text.length !== 4096) throw new Error(`record ${n} is damaged`);
  inOrder &&= n > last;
  last = n;
  seen[n]!++;
}
await client.getJobExecutionResult();
const missing = seen.subarray(1).reduce((sum, times) => sum + (times === 0 ? 1 : 0), 0);
const repeated = seen.reduce((sum, times) => sum + (times > 1 ? 1 : 0), 0);
console.log(`collected ${count}: ${missing} missing, ${repeated} repeated, ${inOrder ? "in order" : "out of order"}`);
