import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, ValueStateDescriptor, WatermarkStrategy } from "millrace";
import type { Collector, KeyedProcessContext, KeyedProcessFunction, RuntimeContext, ValueState } from "millrace";

/* Counts per key for ever, or until --count; fails once per process at the value of --fail-at. */
const option = (name: string): number => Number(process.argv[process.argv.indexOf(`--${name}`) + 1] ?? Number.NaN);
const has = (name: string): boolean => process.argv.includes(`--${name}`);

class Count implements KeyedProcessFunction<number, number, string> {
  #count!: ValueState<number>;
  #attempt = 0;
  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
    this.#attempt = context.attemptNumber;
  }
  processElement(value: number, context: KeyedProcessContext<number>, out: Collector<string>): void {
    const count = (this.#count.value() ?? 0) + 1;
    this.#count.update(count);
    if (has("fail-at") && value === option("fail-at") && this.#attempt === 0) throw new Error("failed once");
    out.collect(`${context.currentKey}:${count}`);
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();
const count = has("count") ? option("count") : Number.POSITIVE_INFINITY;
const results = env.fromSource(new DataGeneratorSource((index: number) => index, count, RateLimiterStrategy.perSecond(2000)), WatermarkStrategy.noWatermarks(), "numbers").uid("numbers")
  .keyBy((value) => value % 10).process(() => new Count()).uid("count").collectAsync();
let seen = 0;
for await (const result of results) {
  seen++;
  console.log(result);
}
console.log(`total ${seen}`);
