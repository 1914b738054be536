import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BucketAssigners, DataGeneratorSource, EventTimeSessionWindows, FileSink, FileSource, ListStateDescriptor, MapStateDescriptor, OutputTag, RateLimiterStrategy, RollingPolicies,
  functionFactory, SlidingEventTimeWindows, TumblingEventTimeWindows, ValueStateDescriptor, WatermarkStrategy,
  type Clock, type CoMapFunction, type Collector, type DataStream, type KeyedBroadcastContext, type KeyedBroadcastOnTimerContext, type KeyedBroadcastProcessFunction, type KeyedCoProcessFunction, type KeyedProcessContext,
  type KeyedProcessFunction, type KeyedReadOnlyBroadcastContext, type ListState, type OnTimerContext, type RuntimeContext, type StreamExecutionEnvironment, type ValueState,
} from "millrace";
import { FaultyFunction, faultySource } from "./faults.js";

/** What the shape of a job is made from. `random` gives the same numbers in every run of a seed. */
export interface World {
  readonly env: StreamExecutionEnvironment;
  readonly clock: Clock;
  readonly visit: (place: string) => void;
  readonly random: () => number;
  /** Of the run, empty and on the disk. */
  readonly directory: string;
}

/** Builds a job whose results, as a multiset, do not depend on timing. */
export type Shape = (world: World) => DataStream<string>;

export interface Event {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

const END_OF_TIME_MS = 1e12;

/** Events of a few keys, a few at a time; the gaps between their times vary, so that there are sessions. */
function events(world: World, name: string, count: number): DataStream<Event> {
  const keys = 2 + Math.floor(world.random() * 6);
  const make = (index: number): Event => ({ key: `k${(index * 7 + (index >> 3)) % keys}`, at: index * 10 + Math.floor(index / 25) * 400, value: index });
  const perSecond = 300 + Math.floor(world.random() * 2000);
  const watermarks = WatermarkStrategy.forMonotonousTimestamps<Event>().withTimestampAssigner((event) => event.at);
  return world.env.fromSource(faultySource(new DataGeneratorSource(make, count, RateLimiterStrategy.perSecond(perSecond)), world.visit, `source ${name}`), watermarks, name);
}

class CountPerKey extends FaultyFunction implements KeyedProcessFunction<string, Event, string> {
  #count!: ValueState<number>;
  override open(context: RuntimeContext): void {
    super.open(context);
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
  }
  processElement(_event: Event, context: KeyedProcessContext<string>, out: Collector<string>): void {
    const count = (this.#count.value() ?? 0) + 1;
    this.visit("before update");
    this.#count.update(count);
    this.visit("after update");
    out.collect(`${context.currentKey} ${count}`);
    this.visit("after collect");
  }
}

/** Keeps events until a timer of either kind, and gives each back once. */
class HoldUntilTimer extends FaultyFunction implements KeyedProcessFunction<string, Event, string> {
  #held!: ListState<number>;
  override open(context: RuntimeContext): void {
    super.open(context);
    this.#held = context.getListState(new ListStateDescriptor<number>("held"));
  }
  processElement(event: Event, { timerService }: KeyedProcessContext<string>): void {
    this.visit("processElement");
    this.#held.add(event.value);
    if (event.value % 3 === 0) timerService.registerProcessingTimeTimer(timerService.currentProcessingTime() + (event.value % 40));
    if (event.value % 3 === 1) timerService.registerEventTimeTimer(event.at + 200);
    timerService.registerEventTimeTimer(END_OF_TIME_MS);
  }
  onTimer(_timestampMs: number, context: OnTimerContext<string>, out: Collector<string>): void {
    this.visit(`onTimer ${context.timeDomain}`);
    for (const value of this.#held.get()) out.collect(`${context.currentKey} ${value}`);
    this.#held.clear();
  }
}

/** Counts the records of both inputs per key; every count that is odd goes to the side output instead. */
class CountBoth extends FaultyFunction implements KeyedCoProcessFunction<string, Event, Event, string> {
  readonly #odd: OutputTag<string>;
  #count!: ValueState<number>;
  constructor(visit: (place: string) => void, odd: OutputTag<string>) {
    super(visit, "both");
    this.#odd = odd;
  }
  override open(context: RuntimeContext): void {
    super.open(context);
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
  }
  processElement1(_event: Event, context: KeyedProcessContext<string>, out: Collector<string>): void {
    this.visit("processElement1");
    this.#add(context, out);
  }
  processElement2(_event: Event, context: KeyedProcessContext<string>, out: Collector<string>): void {
    this.visit("processElement2");
    this.#add(context, out);
  }
  #add(context: KeyedProcessContext<string>, out: Collector<string>): void {
    const count = (this.#count.value() ?? 0) + 1;
    this.#count.update(count);
    if (count % 2 === 1) context.output(this.#odd, `odd ${context.currentKey} ${count}`);
    else out.collect(`even ${context.currentKey} ${count}`);
  }
}

class SayWhichSide extends FaultyFunction implements CoMapFunction<Event, Event, string> {
  map1(event: Event): string {
    this.visit("map1");
    return `left ${event.value}`;
  }
  map2(event: Event): string {
    this.visit("map2");
    return `right ${event.value}`;
  }
}

/** Tells each record with the one of its key before it. */
class SayWhatCameBefore extends FaultyFunction implements KeyedProcessFunction<string, Event, string> {
  #last!: ValueState<number>;
  override open(context: RuntimeContext): void {
    super.open(context);
    this.#last = context.getState(new ValueStateDescriptor<number>("last"));
  }
  processElement(event: Event, _context: KeyedProcessContext<string>, out: Collector<string>): void {
    this.visit("processElement");
    out.collect(`${event.key} ${event.value} after ${this.#last.value() ?? "nothing"}`);
    this.#last.update(event.value);
  }
}

/** Drops what it has seen. */
class FirstOfKey extends FaultyFunction implements KeyedProcessFunction<string, string, string> {
  #seen!: ValueState<boolean>;
  constructor(visit: (place: string) => void) {
    super(visit, "first");
  }
  override open(context: RuntimeContext): void {
    super.open(context);
    this.#seen = context.getState(new ValueStateDescriptor<boolean>("seen"));
  }
  processElement(text: string, _context: KeyedProcessContext<string>, out: Collector<string>): void {
    this.visit("processElement");
    if (this.#seen.value() === true) return;
    this.#seen.update(true);
    out.collect(text);
  }
}

const RULES = new MapStateDescriptor<string, number>("rules");

/** Sums per key, and applies all rules to the sum at the end of time. */
class ApplyRulesAtTheEnd extends FaultyFunction implements KeyedBroadcastProcessFunction<string, Event, number, string> {
  #sum!: ValueState<number>;
  override open(context: RuntimeContext): void {
    super.open(context);
    this.#sum = context.getState(new ValueStateDescriptor<number>("sum"));
  }
  processElement(event: Event, context: KeyedReadOnlyBroadcastContext<string>): void {
    this.visit("processElement");
    this.#sum.update((this.#sum.value() ?? 0) + event.value);
    context.timerService.registerEventTimeTimer(END_OF_TIME_MS);
  }
  processBroadcastElement(rule: number, context: KeyedBroadcastContext<string>): void {
    this.visit("processBroadcastElement");
    const rules = context.getBroadcastState(RULES);
    const name = `rule ${rule % 4}`;
    rules.put(name, (rules.get(name) ?? 0) + rule);
  }
  onTimer(_timestampMs: number, context: KeyedBroadcastOnTimerContext<string>, out: Collector<string>): void {
    this.visit("onTimer");
    for (const [name, factor] of [...context.getBroadcastState(RULES).entries()].sort()) out.collect(`${context.currentKey} ${name}: ${this.#sum.value()! * factor}`);
  }
}

function visiting<T>(world: World, place: string): (value: T) => T {
  return (value) => {
    world.visit(place);
    return value;
  };
}

export const shapes: Readonly<Record<string, Shape>> = {
  "keyed count": (world) =>
    events(world, "events", 200).map(visiting(world, "map")).filter((event) => event.value % 11 !== 0).keyBy("key").process(() => new CountPerKey(world.visit, "count")),

  "windows": (world) => {
    const keyed = events(world, "events", 150).map(visiting(world, "map")).keyBy("key");
    const sum = (a: Event, b: Event): Event => {
      world.visit("reduce");
      return { ...a, value: a.value + b.value };
    };
    const tumbling = keyed.window(TumblingEventTimeWindows.of(300)).reduce(sum).map((event) => `tumbling ${event.key} ${event.value}`);
    const sliding = keyed.window(SlidingEventTimeWindows.of(400, 100)).aggregate({
      createAccumulator: () => 0, getResult: (accumulator) => accumulator, merge: (a, b) => a + b,
      add: (event, accumulator) => {
        world.visit("aggregate");
        return accumulator + event.value;
      },
    }).map((value) => `sliding ${value}`);
    const sessions = keyed.window(EventTimeSessionWindows.withGap(300)).apply<string>((key, window, elements, out) => {
      world.visit("session");
      out.collect(`session ${key} ${window.startMs} ${[...elements].map((event) => event.value).sort((a, b) => a - b).join(",")}`);
    });
    return tumbling.union(sliding, sessions);
  },

  "interval join": (world) => {
    const left = events(world, "left", 120).keyBy("key");
    const right = events(world, "right", 60).map(visiting(world, "map of the right")).keyBy("key");
    return left.intervalJoin(right).between(-150, 100).process<string>(() => ({
      processElement: (a: Event, b: Event, _context: unknown, out: Collector<string>): void => {
        world.visit("join");
        out.collect(`${a.key} ${a.value} ${b.value}`);
      },
    }));
  },

  "broadcast state": (world) => {
    const rules = events(world, "rules", 30).map((event) => event.value);
    return events(world, "events", 150).keyBy("key").connect(rules.broadcast(RULES)).process<string>(() => new ApplyRulesAtTheEnd(world.visit, "rules"));
  },

  "async": (world) => {
    const delays = seededDelays(world);
    const lookUp = async (event: Event): Promise<string> => {
      world.visit("call");
      await new Promise<void>((resolve) => world.clock.setTimer(delays(event.value), resolve));
      world.visit("answer");
      return `${event.key} ${event.value}`;
    };
    const capacity = 1 + Math.floor(world.random() * 20);
    return events(world, "events", 150).asyncMap(lookUp, { ordered: world.random() < 0.5, capacity }).map(visiting(world, "map"));
  },

  "timers": (world) => events(world, "events", 150).keyBy("key").process(() => new HoldUntilTimer(world.visit, "hold")),

  "files": (world) => {
    const input = join(world.directory, "in.txt");
    writeFileSync(input, Array.from({ length: 120 }, (_, i) => `line ${i} ${"x".repeat(i % 17)}\n`).join(""));
    const source = FileSource.lines(input, { splitSizeBytes: 300 });
    // Reading takes no virtual time: a call that does makes the job last long enough for checkpoints.
    const slowly = async (line: string): Promise<string> => {
      await new Promise<void>((resolve) => world.clock.setTimer(3, resolve));
      world.visit("slowly");
      return line;
    };
    const lines = world.env.fromSource(faultySource(source, world.visit, "files"), WatermarkStrategy.noWatermarks<string>(), "files").asyncMap(slowly, { capacity: 2 });
    const counted = lines.map((line): Event => ({ key: `k${line.length % 5}`, at: 0, value: line.length })).keyBy("key").process(() => new CountPerKey(world.visit, "count"));
    const rollingPolicy = world.random() < 0.5 ? RollingPolicies.onCheckpoint() : RollingPolicies.default({ maxPartSizeBytes: 60 });
    counted.sinkTo(FileSink.lines<string>(join(world.directory, "out"), { bucketAssigner: BucketAssigners.basePath(), rollingPolicy })).uid("file sink");
    return counted;
  },

  "every exchange": (world) => {
    const odd = new OutputTag<string>("odd");
    const left = events(world, "left", 100);
    const right = events(world, "right", 60).map(visiting(world, "map of the right"));
    const joined = left.keyBy("key").connect(right.keyBy("key")).process(() => new CountBoth(world.visit, odd));
    const odds = joined.getSideOutput(odd).partitionCustom<string>((key, channels) => key.length % channels, (text) => text).map(visiting(world, "map of the odd"));
    const both = left.shuffle().connect(right.global()).map<string>(functionFactory(() => new SayWhichSide(world.visit, "side")));
    const everywhere = right.broadcast().map((event) => `to all ${event.value}`).keyBy((text) => text).process(() => new FirstOfKey(world.visit));
    return joined.rebalance().map((text) => text).union(odds, both.rescale().map((text) => text), everywhere);
  },

  "order of each key": (world) => {
    // All records of a key are in one split.
    const make = (index: number): Event => ({ key: `k${Math.floor(index / 10)}`, at: 0, value: index });
    const perSecond = 300 + Math.floor(world.random() * 2000);
    const source = new DataGeneratorSource(make, 120, RateLimiterStrategy.perSecond(perSecond));
    return world.env.fromSource(faultySource(source, world.visit, "source"), WatermarkStrategy.noWatermarks<Event>(), "events").keyBy("key").process(() => new SayWhatCameBefore(world.visit, "before"));
  },

  "everything at the end": (world) => {
    const sum = (a: Event, b: Event): Event => ({ ...a, value: a.value + b.value });
    const many = events(world, "events", 150).map((event) => ({ ...event, key: `k${event.value % 60}` }));
    return many.map(visiting(world, "map")).keyBy("key").fullWindowPartition().reduce(sum).map((event) => `${event.key} ${event.value}`);
  },

  "union and rebalance": (world) => {
    const three = [100, 20, 60].map((count, index) => events(world, `events ${index}`, count).map((event) => ({ ...event, key: `${index} ${event.key}` })));
    return three[0]!.union(...three.slice(1)).rebalance().map(visiting(world, "map")).shuffle().flatMap<Event>((event, out) => {
      out.collect(event);
      world.visit("flatMap");
      if (event.value % 5 === 0) out.collect(event);
    }).keyBy("key").process(() => new CountPerKey(world.visit, "count"));
  },
};

/** Delays by record and attempt: the same call may take longer after a failure. */
function seededDelays(world: World): (value: number) => number {
  const longest = 1 + Math.floor(world.random() * 30);
  let calls = 0;
  return (value) => (value * 31 + calls++ * 17) % longest;
}
