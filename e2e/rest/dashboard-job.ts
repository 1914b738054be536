// What the browser looks at: two vertices, checkpoints, event time, an accumulator, something printed, and one failure.
import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, SumCounter, WatermarkStrategy, type MapFunction, type RuntimeContext } from "millrace";

class Counting implements MapFunction<number, number> {
  #counted!: SumCounter;
  #attempt = 0;
  #seen = 0;

  open(context: RuntimeContext): void {
    this.#counted = context.addAccumulator("counted", new SumCounter());
    this.#attempt = context.attemptNumber;
  }

  map(value: number): number {
    if (this.#seen++ === 0) console.log(`first value: ${value}`);
    if (this.#seen === 300 && this.#attempt === 0) throw new Error("failed once");
    this.#counted.add(1);
    return value;
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment({
  "execution.checkpointing.interval": "200 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 3, "restart-strategy.fixed-delay.delay": "100 ms",
});
const watermarks = WatermarkStrategy.forBoundedOutOfOrderness<number>("1 s").withTimestampAssigner((value) => 1_700_000_000_000 + value);
env.fromSource(new DataGeneratorSource((index: number) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(400)), watermarks, "numbers")
  .keyBy((value) => value % 10).map(Counting).name("counting").uid("counting").discard();
await env.execute("dashboard job");
