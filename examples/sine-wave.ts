/**
 * Why event time: `millrace run examples/sine-wave.ts`.
 *
 * Three sine waves, a third of a period apart, cancel each other out at every moment. Their samples are on the way for different times, though. Summed up
 * by the time they were taken (event time), every window is 0; summed up by the time they arrive (processing time), it is whatever happened to be there.
 *
 * Arguments: `--periods 8`, `--per-second 1500`.
 */
import {
  DataGeneratorSource, ParameterTool, RateLimiterStrategy, StreamExecutionEnvironment, TumblingEventTimeWindows, TumblingProcessingTimeWindows, WatermarkStrategy,
  type AggregateFunction, type Collector, type TimeWindow,
} from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const periods = parameters.getInt("periods", 8);

const WAVES = 3;
const SAMPLES_PER_PERIOD = 120;
const PERIOD_MS = 1200;
/** By how many samples each wave is behind the first one. */
const DELAYS = [0, 25, 55] as const;

interface Sample {
  readonly wave: number;
  readonly timestampMs: number;
  readonly value: number;
}

/** The record of an index: waves take turns, each behind by its delay. */
function sample(index: number): Sample {
  const wave = index % WAVES;
  const tick = Math.floor(index / WAVES) - DELAYS[wave]!;
  const turn = tick / SAMPLES_PER_PERIOD + wave / WAVES;
  return { wave, timestampMs: (tick * PERIOD_MS) / SAMPLES_PER_PERIOD, value: Math.sin(2 * Math.PI * turn) };
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

const samples = env.fromSource(
  new DataGeneratorSource(sample, WAVES * (SAMPLES_PER_PERIOD * periods + Math.max(...DELAYS)), RateLimiterStrategy.perSecond(parameters.getInt("per-second", 1500))),
  WatermarkStrategy.forBoundedOutOfOrderness<Sample>("1 s").withTimestampAssigner((sample) => sample.timestampMs),
  "Waves",
)
  .setParallelism(1)
  // Only whole periods: without what a delayed wave measured before the start, and the others after the end.
  .filter(({ timestampMs }) => timestampMs >= 0 && timestampMs < periods * PERIOD_MS);

interface Sum {
  readonly sum: number;
  readonly count: number;
}
const sum: AggregateFunction<Sample, Sum, Sum> = {
  createAccumulator: () => ({ sum: 0, count: 0 }),
  add: ({ value }, { sum, count }) => ({ sum: sum + value, count: count + 1 }),
  getResult: (result) => result,
  merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
};

samples.windowAll(TumblingEventTimeWindows.of(PERIOD_MS)).aggregate(sum, line).print("event time");
samples.windowAll(TumblingProcessingTimeWindows.of("200 ms")).aggregate(sum, line).print("processing time");

await env.execute("Sine wave");

function line(_window: TimeWindow, [result]: Iterable<Sum>, out: Collector<string>): void {
  // Adding up floating-point numbers leaves an error in the last digits, of either sign.
  const sum = Math.abs(result!.sum) < 1e-9 ? 0 : result!.sum;
  out.collect(`sum of ${result!.count} samples = ${sum.toFixed(3)}`);
}
