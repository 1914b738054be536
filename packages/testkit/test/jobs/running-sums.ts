import { DataGeneratorSource, functionFactory, Maximum, StreamExecutionEnvironment, ValueStateDescriptor, WatermarkStrategy } from "millrace";
import type { Collector, KeyedProcessContext, KeyedProcessFunction, MapFunction, RuntimeContext, ValueState } from "millrace";

/** The sum of everything so far. */
class Sum implements KeyedProcessFunction<number, number, number> {
  #sum!: ValueState<number>;
  open(context: RuntimeContext): void {
    this.#sum = context.getState(new ValueStateDescriptor<number>("sum"));
  }
  processElement(value: number, _context: KeyedProcessContext<number>, out: Collector<number>): void {
    const sum = (this.#sum.value() ?? 0) + value;
    this.#sum.update(sum);
    out.collect(sum);
  }
}

class Greatest implements MapFunction<number, number> {
  #greatest!: Maximum;
  open(context: RuntimeContext): void {
    this.#greatest = context.addAccumulator("greatest", new Maximum());
  }
  map(value: number): number {
    this.#greatest.add(value);
    return value;
  }
}

const wait = async (value: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return value;
};

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSource(new DataGeneratorSource((index: number) => index, 1000), WatermarkStrategy.noWatermarks(), "numbers")
  .rebalance().map((value) => value).keyBy(() => 0).process(Sum).rebalance().asyncMap(wait, { capacity: 1 }).rebalance().map(functionFactory(() => new Greatest())).print();
await env.execute("running sums");
