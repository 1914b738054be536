/**
 * How often each page was seen per hour, with early results: `millrace run examples/custom-trigger.ts`.
 *
 * A trigger of our own fires a window whenever its count has doubled, and at its end. Arguments: `--input FILE`.
 */
import {
  FileSource, ParameterTool, StreamExecutionEnvironment, TumblingEventTimeWindows, Types, ValueStateDescriptor, WatermarkStrategy,
  type Collector, type ProcessWindowContext, type ProcessWindowFunction, type TimeWindow, type Trigger, type TriggerContext, type TriggerResult,
} from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));

interface Click {
  readonly user: string;
  readonly page: string;
  readonly timestamp: number;
}

const countDescriptor = new ValueStateDescriptor("count", Types.number);

/** One trigger object serves all keys and windows, so what it remembers is in state, which the context binds to the key and window at hand. */
const whenDoubled: Trigger<Click, TimeWindow> = {
  onElement(_click: Click, _timestampMs: number, window: TimeWindow, context: TriggerContext): TriggerResult {
    // A trigger replaces the default one, which would have set this timer.
    context.registerEventTimeTimer(window.maxTimestampMs);
    const state = context.getPartitionedState(countDescriptor);
    const count = (state.value() ?? 0) + 1;
    state.update(count);
    return isPowerOfTwo(count) ? "FIRE" : "CONTINUE";
  },
  onEventTime(timestampMs: number, window: TimeWindow): TriggerResult {
    return timestampMs === window.maxTimestampMs ? "FIRE" : "CONTINUE";
  },
  onProcessingTime(): TriggerResult {
    return "CONTINUE";
  },
  clear(window: TimeWindow, context: TriggerContext): void {
    context.deleteEventTimeTimer(window.maxTimestampMs);
    context.getPartitionedState(countDescriptor).clear();
  },
};

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

class Report implements ProcessWindowFunction<number, string, string, TimeWindow> {
  process(page: string, context: ProcessWindowContext<TimeWindow>, [views]: Iterable<number>, out: Collector<string>): void {
    const hour = new Date(context.window.startMs).toISOString().slice(11, 16);
    const isFinal = context.currentWatermark >= context.window.maxTimestampMs;
    out.collect(`${hour} ${page} ${views} views${isFinal ? "" : " so far"}`);
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

env.fromSource(
  FileSource.jsonLines<Click>(parameters.get("input") ?? new URL("data/clicks.jsonl", import.meta.url)),
  WatermarkStrategy.forMonotonousTimestamps<Click>().withTimestampAssigner((click) => click.timestamp),
  "Clicks",
)
  .keyBy("page")
  .window(TumblingEventTimeWindows.of("1 h"))
  .trigger(whenDoubled)
  .aggregate({ createAccumulator: () => 0, add: (_click, count: number) => count + 1, getResult: (count) => count, merge: (a, b) => a + b }, Report)
  .name("Views per page and hour")
  .print();

await env.execute("Custom trigger");
