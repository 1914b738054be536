import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, SumCounter, WatermarkStrategy } from "millrace";
import type { MapFunction, RuntimeContext } from "millrace";

class Count implements MapFunction<number, number> {
  #seen!: SumCounter;
  open(context: RuntimeContext): void {
    this.#seen = context.addAccumulator("seen", new SumCounter());
  }
  map(value: number): number {
    this.#seen.add(1);
    return value;
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSource(new DataGeneratorSource((index: number) => index, 2000, RateLimiterStrategy.perSecond(1000)), WatermarkStrategy.noWatermarks(), "numbers")
  .map(Count).print();
await env.execute("numbers");
