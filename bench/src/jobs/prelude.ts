import {
  DataGeneratorSource, TumblingEventTimeWindows, ValueStateDescriptor, WatermarkStrategy,
  type Collector, type KeyedProcessContext, type KeyedProcessFunction, type RuntimeContext, type Sink, type SinkWriter, type StreamExecutionEnvironment, type ValueState,
} from "millrace";
import { below, random } from "../data/random.js";
import { expectPipelines, pipelineDone } from "./gate.js";

/*
 * Five unrelated pipelines that run in the same slots before the measured one, long enough to be compiled: so that no figure depends on being the
 * only code V8 has seen in an isolate. `--prelude 0` leaves them out.
 */
export function addPrelude(env: StreamExecutionEnvironment, records: number): void {
  if (records <= 0) return;
  expectPipelines(5);
  const generate = <T>(make: (index: number) => T, name: string) => env.fromSource(new DataGeneratorSource(make, records), WatermarkStrategy.noWatermarks<T>(), name);

  generate((index) => index, "numbers")
    .map((n) => n * 1.5)
    .filter((n) => n % 3 !== 0)
    .sinkTo(new EndSink<number>());
  generate((index) => `${index % 997}/${index % 7}`, "texts")
    .flatMap((text: string, out: Collector<readonly [string, number]>) => {
      for (const part of text.split("/")) out.collect([part, 1]);
    })
    .keyBy((pair) => pair[0])
    .reduce((a, b) => [a[0], a[1] + b[1]])
    .sinkTo(new EndSink<readonly [string, number]>());
  generate((index) => ({ id: index, at: { x: index & 255, y: index >>> 8 }, tags: index % 3 === 0 ? ["a", "b"] : [] }), "places")
    .rebalance()
    .map((place) => ({ ...place, near: place.at.x < 16 }))
    .sinkTo(new EndSink<object>());
  env.fromSource(new DataGeneratorSource((index) => ({ sensor: below(random(index, 40), 100), celsius: below(random(index, 41), 400) / 10, atMs: index }), records),
    WatermarkStrategy.forBoundedOutOfOrderness<{ sensor: number; celsius: number; atMs: number }>(1000).withTimestampAssigner((r) => r.atMs), "temperatures")
    .keyBy((r) => r.sensor)
    .window(TumblingEventTimeWindows.of("10 s"))
    .reduce((a, b) => (b.celsius > a.celsius ? b : a))
    .sinkTo(new EndSink<object>());
  generate((index) => ({ user: `u${below(random(index, 50), 5000)}`, cents: BigInt(index % 1000) }), "payments")
    .keyBy((payment) => payment.user)
    .process(Spent)
    .sinkTo(new EndSink<unknown>());
}

class Spent implements KeyedProcessFunction<string, { user: string; cents: bigint }, { user: string; total: bigint }> {
  private total!: ValueState<bigint>;

  open(context: RuntimeContext): void {
    this.total = context.getState(new ValueStateDescriptor<bigint>("total"));
  }
  processElement(payment: { user: string; cents: bigint }, _context: KeyedProcessContext<string>, out: Collector<{ user: string; total: bigint }>): void {
    const total = (this.total.value() ?? 0n) + payment.cents;
    this.total.update(total);
    if (total % 100n === 0n) out.collect({ user: payment.user, total });
  }
}

class EndSink<T> implements Sink<T> {
  createWriter(): SinkWriter<T> {
    return {
      write() {},
      flush(endOfInput) {
        if (endOfInput) pipelineDone();
      },
      close() {},
    };
  }
}
