import {
  OutputTag, TumblingEventTimeWindows, ValueStateDescriptor, WatermarkStrategy, type Collector, type DataStream, type KeyedProcessContext, type KeyedProcessFunction, type RuntimeContext,
  type TimeWindow, type ValueState,
} from "millrace";
import { DISORDER_MS, WINDOW_MS, formatEntry, formatTotal, formatWindow, parseEntry, type Entry } from "../check/entries.js";

/* What the jobs of chaos runs have in common. */

export const byTime: WatermarkStrategy<string> = WatermarkStrategy.forBoundedOutOfOrderness<string>(`${DISORDER_MS} ms`).withTimestampAssigner((line) => parseEntry(line).timeMs);

export function entriesOf(lines: DataStream<string>): DataStream<Entry> {
  return lines.map(parseEntry).uid("entries");
}

/** Counts and sums each key's entries, and tells both at each of them. */
class RunningTotals implements KeyedProcessFunction<string, Entry, string> {
  #count!: ValueState<number>;
  #sum!: ValueState<number>;

  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
    this.#sum = context.getState(new ValueStateDescriptor<number>("sum"));
  }

  processElement({ key, seq, amount }: Entry, _context: KeyedProcessContext<string>, out: Collector<string>): void {
    const count = (this.#count.value() ?? 0) + 1;
    const sum = (this.#sum.value() ?? 0) + amount;
    this.#count.update(count);
    this.#sum.update(sum);
    out.collect(formatTotal({ key, seq, count, sum }));
  }
}

export function totalsOf(entries: DataStream<Entry>): DataStream<string> {
  return entries.keyBy(({ key }) => key).process(RunningTotals).uid("totals");
}

/** Windows, and the entries that came too late for theirs. */
export function windowsOf(entries: DataStream<Entry>): { readonly windows: DataStream<string>; readonly late: DataStream<string> } {
  const late = new OutputTag<Entry>("late");
  const windows = entries.keyBy(({ key }) => key).window(TumblingEventTimeWindows.of(WINDOW_MS)).sideOutputLateData(late)
    .aggregate(
      {
        createAccumulator: () => ({ count: 0, sum: 0 }), add: ({ amount }: Entry, { count, sum }) => ({ count: count + 1, sum: sum + amount }), getResult: (accumulator) => accumulator,
        merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
      },
      (key: string, window: TimeWindow, results: Iterable<{ count: number; sum: number }>, out: Collector<string>) => {
        for (const { count, sum } of results) out.collect(formatWindow({ key, startMs: window.startMs, count, sum }));
      },
    ).uid("windows");
  return { windows, late: windows.getSideOutput(late).map(formatEntry).uid("late") };
}
