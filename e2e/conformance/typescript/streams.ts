import { OutputTag, WatermarkStrategy, type Collector, type DataStream, type ProcessContext, type ProcessFunction } from "millrace";
import { eventOutput, long, mergeEvents, stats, type Event, type Pipeline } from "./case.js";

/** `union`: each event with the watermark it saw. */
class WithWatermark implements ProcessFunction<Event, unknown> {
  processElement(event: Event, context: ProcessContext, out: Collector<unknown>): void {
    out.collect({ ...eventOutput(event), wm: long(context.timerService.currentWatermark()) });
  }
}

const lateTag: OutputTag<Event> = new OutputTag<Event>("late");
const negativeTag: OutputTag<Event> = new OutputTag<Event>("negative");
const oddTag: OutputTag<Event> = new OutputTag<Event>("odd");

class SideOutputs implements ProcessFunction<Event, Event> {
  processElement(event: Event, context: ProcessContext, out: Collector<Event>): void {
    if (context.timestamp! <= context.timerService.currentWatermark()) context.output(lateTag, event);
    if (event.v < 0) context.output(negativeTag, event);
    if (event.v % 2 !== 0) context.output(oddTag, event);
    else out.collect(event);
  }
}

function strategyOf({ type, bound, idleness }: any): WatermarkStrategy<Event> {
  const strategy = (): WatermarkStrategy<Event> => {
    if (type === "bounded") return WatermarkStrategy.forBoundedOutOfOrderness<Event>(bound);
    if (type === "monotonous") return WatermarkStrategy.forMonotonousTimestamps<Event>();
    return WatermarkStrategy.forGenerator<Event>(() => ({
      onEvent: (event, _timestampMs, output) => {
        if (event.c === "wm") output.emitWatermark(event.b);
      },
      onPeriodicEmit: () => undefined,
    }));
  };
  const assigned = strategy().withTimestampAssigner<Event>((event) => event.a);
  return idleness === undefined ? assigned : assigned.withIdleness(idleness);
}

function running(stream: DataStream<Event>, fn: string, first: boolean): DataStream<Event> {
  const keyed = stream.keyBy((event) => event.k);
  switch (fn) {
    case "reduce": return keyed.reduce(mergeEvents);
    case "sum": return keyed.sum("v");
    case "min": return keyed.min("v");
    case "max": return keyed.max("v");
    case "minBy": return keyed.minBy("v", first);
    case "maxBy": return keyed.maxBy("v", first);
    default: throw new Error(`no rolling aggregation is called ${fn}`);
  }
}

export const streamPipelines: Readonly<Record<string, Pipeline>> = {
  running: (job, { fn, first = true }) => ({ main: running(job.input("in"), fn, first).map(eventOutput) }),
  "side-outputs": (job) => {
    const main = job.input("in").process(SideOutputs);
    return { main: main.map(eventOutput), sides: { late: main.getSideOutput(lateTag), negative: main.getSideOutput(negativeTag), odd: main.getSideOutput(oddTag) } };
  },
  union: (job) => {
    const [first, ...others] = job.streams;
    return { main: first!.union(...others).process(WithWatermark) };
  },
  "watermark-strategy": (job, params) => {
    job.env.getConfig().setAutoWatermarkInterval(params.interval ?? 200);
    // One generator, as the script is one: several would each see a part of it.
    return { main: job.input("in").assignTimestampsAndWatermarks(strategyOf(params)).setParallelism(1).process(WithWatermark) };
  },
  "full-window-partition": (job, { fn }) => {
    const partition = job.input("in").keyBy((event) => event.k).fullWindowPartition();
    return { main: fn === "reduce" ? partition.reduce(mergeEvents).map(eventOutput) : partition.aggregate(stats) };
  },
};
