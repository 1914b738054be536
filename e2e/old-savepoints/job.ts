// The job whose savepoints are kept in testdata/savepoints. Savepoints of all releases are restored into it: never change an operator, a uid or a state
// of it. What is new goes into another job, with savepoints of its own.
import {
  AggregatingStateDescriptor, DataGeneratorSource, EventTimeSessionWindows, HybridSource, ListStateDescriptor, MapStateDescriptor, NumberSequenceSource, RateLimiterStrategy,
  ReducingStateDescriptor, SlidingEventTimeWindows, TumblingEventTimeWindows, Types, ValueStateDescriptor, WatermarkStrategy,
  type CheckpointedFunction, type Clock, type Collector, type FlatMapFunction, type CommittingSinkWriter, type Committer, type DataStream, type KeyedBroadcastContext, type KeyedBroadcastOnTimerContext,
  type KeyedBroadcastProcessFunction, type KeyedProcessContext, type KeyedProcessFunction, type KeyedReadOnlyBroadcastContext, type OnTimerContext, type OperatorListState,
  type RuntimeContext, type Sink, type SinkWriterContext, type StateInitializationContext, type StatefulSinkWriter, type StreamExecutionEnvironment,
} from "millrace";

export interface Event {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

const RECORDS = 300;
const END_OF_TIME_MS = 1e12;
/** Each becomes the state of a key. */
const odd: readonly unknown[] = [
  -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53, 0.1, true, null, "", "latin ÿ", "ünïcode 😀 \ud800", "x".repeat(300), 12345678901234567890n, -1n, new Date(1234567890123),
  new Map<unknown, unknown>([["a", 1], [{ deep: [1, 2] }, new Set([3])]]), new Set(["s", 5]), new Uint8Array([0, 255, 7]), new Float64Array([1.5, -0]), { gone: undefined, left: [null, undefined] },
];

/** Text that tells apart what is different; the same in every version of everything. */
export function describe(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Map) return `Map(${[...value].map(([key, held]) => `${describe(key)}: ${describe(held)}`).join(", ")})`;
  if (value instanceof Set) return `Set(${[...value].map(describe).join(", ")})`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${[...(value as Uint8Array)].map(describe).join(", ")})`;
  if (Array.isArray(value)) return `[${value.map(describe).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `{${Object.entries(value).map(([key, held]) => `${key}: ${describe(held)}`).join(", ")}}`;
  return String(value);
}

/** Every kind of keyed state and timer; all is told at the end of time. */
class AllKinds implements KeyedProcessFunction<string, Event, string> {
  #runtime!: RuntimeContext;
  readonly #any = new ValueStateDescriptor<unknown>("any");
  readonly #count = new ValueStateDescriptor<number>("count", Types.number);
  readonly #list = new ListStateDescriptor<number>("list");
  readonly #map = new MapStateDescriptor<string, unknown>("map");
  readonly #numbers = new MapStateDescriptor<number, number>("numbers", Types.number, Types.number);
  readonly #sum = new ReducingStateDescriptor<number>("sum", (a, b) => a + b);
  readonly #mean = new AggregatingStateDescriptor<number, [number, number], number>("mean", {
    createAccumulator: () => [0, 0], add: (value, [sum, count]) => [sum + value, count + 1], getResult: ([sum, count]) => sum / count, merge: ([a, b], [c, d]) => [a + c, b + d],
  });

  open(runtime: RuntimeContext): void {
    this.#runtime = runtime;
  }
  processElement({ value }: Event, { timerService }: KeyedProcessContext<string>): undefined {
    const runtime = this.#runtime;
    const count = runtime.getState(this.#count);
    count.update((count.value() ?? 0) + 1);
    runtime.getState(this.#any).update(odd[value % odd.length]);
    if (value % 5 === 0) runtime.getListState(this.#list).add(value);
    runtime.getMapState(this.#map).put(`entry ${value % 7}`, odd[(value * 3) % odd.length]);
    runtime.getMapState(this.#numbers).put(value % 4, value);
    runtime.getReducingState(this.#sum).add(value);
    runtime.getAggregatingState(this.#mean).add(value);
    timerService.registerEventTimeTimer(END_OF_TIME_MS);
    // Not due before the savepoint is taken: then it depends on nothing when it fires.
    if (value < 40) timerService.registerProcessingTimeTimer(1_000_000 + (value % 3));
  }
  onTimer(timestampMs: number, { currentKey, timeDomain }: OnTimerContext<string>, out: Collector<string>): undefined {
    const runtime = this.#runtime;
    if (timeDomain !== "event-time") return void out.collect(`${currentKey} ${timeDomain} ${timestampMs}`) as undefined;
    const entries = [...runtime.getMapState(this.#map).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    out.collect([
      currentKey, runtime.getState(this.#count).value(), describe(runtime.getState(this.#any).value()), describe([...runtime.getListState(this.#list).get()]), describe(new Map(entries)),
      describe([...runtime.getMapState(this.#numbers).entries()].sort(([a], [b]) => a - b)), runtime.getReducingState(this.#sum).get(), runtime.getAggregatingState(this.#mean).get(),
    ].join(" | "));
  }
}

const RULES = new MapStateDescriptor<string, number>("rules");

class ApplyRules implements KeyedBroadcastProcessFunction<string, Event, number, string> {
  #runtime!: RuntimeContext;
  readonly #sum = new ValueStateDescriptor<number>("sum");
  open(runtime: RuntimeContext): void {
    this.#runtime = runtime;
  }
  processElement(event: Event, context: KeyedReadOnlyBroadcastContext<string>): void {
    const sum = this.#runtime.getState(this.#sum);
    sum.update((sum.value() ?? 0) + event.value);
    context.timerService.registerEventTimeTimer(END_OF_TIME_MS);
  }
  processBroadcastElement(rule: number, context: KeyedBroadcastContext<string>): void {
    const rules = context.getBroadcastState(RULES);
    rules.put(`rule ${rule % 4}`, (rules.get(`rule ${rule % 4}`) ?? 0) + rule);
  }
  onTimer(_timestampMs: number, context: KeyedBroadcastOnTimerContext<string>, out: Collector<string>): void {
    for (const [name, factor] of [...context.getBroadcastState(RULES).entries()].sort()) out.collect(`${context.currentKey} ${name}: ${this.#runtime.getState(this.#sum).value()! * factor}`);
  }
}

/** Keeps every tenth record in a list that is dealt out anew, and passes what it held back on at the next record. */
class HoldSome implements FlatMapFunction<Event, string>, CheckpointedFunction {
  #held!: OperatorListState<Event>;
  #kept: Event[] = [];
  initializeState(context: StateInitializationContext): void {
    this.#held = context.operatorState.getListState(new ListStateDescriptor<Event>("held"));
    this.#kept = [...this.#held.get()];
  }
  snapshotState(): void {
    this.#held.update(this.#kept);
  }
  flatMap(event: Event, out: Collector<string>): void {
    if (event.value % 10 === 0) this.#kept.push(event);
    else out.collect(`${event.value}`);
    if (event.value >= RECORDS - 10) for (const { value } of this.#kept.splice(0)) out.collect(`held ${value}`);
  }
}

interface Transaction {
  readonly id: string;
  readonly values: readonly string[];
}

/** Commits into `visible`, each transaction once. */
export class VisibleSink implements Sink<string, Transaction, number> {
  readonly #visible: string[];
  readonly #committed = new Set<string>();

  constructor(visible: string[]) {
    this.#visible = visible;
  }
  createWriter(context: SinkWriterContext): Writer {
    return new Writer(context, 0);
  }
  restoreWriter(context: SinkWriterContext, [next = 0]: readonly number[]): Writer {
    return new Writer(context, next);
  }
  createCommitter(): Committer<Transaction> {
    return {
      commit: (requests) => {
        for (const { committable: { id, values } } of requests) if (!this.#committed.has(id) && this.#committed.add(id)) this.#visible.push(...values);
      },
      close: () => undefined,
    };
  }
}

class Writer implements CommittingSinkWriter<string, Transaction>, StatefulSinkWriter<string, number> {
  readonly #name: string;
  #values: string[] = [];
  #next: number;
  constructor({ restoredCheckpointId = 0, subtaskIndex }: SinkWriterContext, next: number) {
    this.#name = `${restoredCheckpointId}/${subtaskIndex}`;
    this.#next = next;
  }
  write(value: string): void {
    this.#values.push(value);
  }
  flush(): void {}
  prepareCommit(): readonly Transaction[] {
    const values = this.#values.splice(0);
    return values.length === 0 ? [] : [{ id: `${this.#name}/${this.#next++}`, values }];
  }
  snapshotState(): readonly number[] {
    return [this.#next];
  }
  close(): void {}
}

/** Builds the job. Its results, as a multiset, do not depend on timing nor on the parallelism. */
export function buildJob(env: StreamExecutionEnvironment, clock: Clock, sink: Sink<string, any, any>): void {
  const monotonous = WatermarkStrategy.forMonotonousTimestamps<Event>().withTimestampAssigner((event) => event.at);
  const make = (index: number): Event => ({ key: `k${(index * 7 + (index >> 3)) % 11}`, at: index * 10 + Math.floor(index / 25) * 400, value: index });
  const events = env.fromSource(new DataGeneratorSource(make, RECORDS, RateLimiterStrategy.perSecond(1000)), monotonous, "events").uid("events").setParallelism(1);
  const others = env.fromSource(new DataGeneratorSource(make, RECORDS / 3, RateLimiterStrategy.perSecond(400)), monotonous, "others").uid("others").setParallelism(1);
  const hybrid = HybridSource.builder<number>(new NumberSequenceSource(0, 5)).addSource(new DataGeneratorSource((index) => 100 + index, 50, RateLimiterStrategy.perSecond(200))).build();
  const numbers = env.fromSource(hybrid, WatermarkStrategy.noWatermarks<number>(), "numbers").uid("numbers").setParallelism(1);
  const keyed = events.keyBy("key");
  const lookUp = async (event: Event): Promise<string> => {
    await new Promise<void>((resolve) => clock.setTimer(event.value % 30, resolve));
    return `async ${event.value}`;
  };
  const sum = (a: Event, b: Event): Event => ({ ...a, value: a.value + b.value });
  const results: DataStream<string>[] = [
    keyed.process(AllKinds).uid("all kinds"),
    keyed.reduce(sum).uid("reduce").map((event) => `reduced ${event.key} ${event.value}`),
    keyed.sum("value").uid("sum").map((event) => `sum ${event.key} ${event.value}`),
    keyed.minBy("at").uid("min by").map((event) => `min ${event.key} ${event.value}`),
    keyed.window(TumblingEventTimeWindows.of(300)).reduce(sum).uid("tumbling").map((event) => `tumbling ${event.key} ${event.value}`),
    keyed.window(SlidingEventTimeWindows.of(400, 100)).aggregate({
      createAccumulator: () => 0, add: (event: Event, accumulator: number) => accumulator + event.value, getResult: (accumulator: number) => accumulator, merge: (a: number, b: number) => a + b,
    }).uid("sliding").map((value) => `sliding ${value}`),
    keyed.window(EventTimeSessionWindows.withGap(300)).apply<string>((key, window, elements, out) => {
      out.collect(`session ${key} ${window.startMs} ${[...elements].map((event) => event.value).join(",")}`);
    }).uid("sessions"),
    keyed.countWindow(4).reduce(sum).uid("count windows").map((event) => `count window ${event.key} ${event.value}`),
    keyed.intervalJoin(others.keyBy("key")).between(-150, 100).process<string>(() => ({
      processElement: (a: Event, b: Event, _context: unknown, out: Collector<string>): void => out.collect(`interval ${a.key} ${a.value} ${b.value}`),
    })).uid("interval join"),
    events.join(others).where("key").equalTo("key").window(TumblingEventTimeWindows.of(500)).apply((a: Event, b: Event) => `join ${a.value} ${b.value}`).uid("window join"),
    keyed.connect(others.map((event) => event.value).broadcast(RULES)).process<string>(() => new ApplyRules()).uid("broadcast"),
    events.asyncMap(lookUp, { capacity: 10 }).uid("async"),
    events.flatMap<string>(HoldSome).uid("hold").setParallelism(1),
    numbers.map((value) => `number ${value}`),
  ];
  results[0]!.union(...results.slice(1)).sinkTo(sink).uid("sink");
}
