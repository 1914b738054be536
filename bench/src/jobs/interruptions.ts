import { writeSync, openSync } from "node:fs";
import { DataGeneratorSource, ParameterTool, RateLimiterStrategy, StreamExecutionEnvironment, WatermarkStrategy, type MapFunction, type RuntimeContext } from "millrace";

/* Sums per key without end, and writes down when it put something out: 8 bytes of milliseconds, at most one per millisecond and subtask. */
const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const keys = parameters.getInt("keys", 1_000_000);
const perSecond = parameters.getInt("rate", 400_000);
const env = StreamExecutionEnvironment.getExecutionEnvironment();

class Seen implements MapFunction<{ key: number; count: number; sum: number }, number> {
  #file = -1;
  #lastMs = 0;

  open(context: RuntimeContext): void {
    this.#file = openSync(`${parameters.required("output")}/${context.subtaskIndex}-${context.attemptNumber}`, "a");
  }
  map(value: { key: number; count: number; sum: number }): number {
    const now = Date.now();
    if (now !== this.#lastMs) {
      this.#lastMs = now;
      writeSync(this.#file, new Float64Array([now]));
    }
    return value.count;
  }
}

env.fromSource(new DataGeneratorSource((index: number) => ({ key: index % keys, count: 1, sum: index }), Number.MAX_SAFE_INTEGER, RateLimiterStrategy.perSecond(perSecond)), WatermarkStrategy.noWatermarks(), "numbers")
  .keyBy((value) => value.key)
  .reduce((a, b) => ({ key: a.key, count: a.count + b.count, sum: a.sum + b.sum }))
  .map(Seen)
  .discard();
await env.execute("interruptions");
