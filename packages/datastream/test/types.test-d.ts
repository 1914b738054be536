// Checked by the compiler only: what must compile, with the types it must have, and what must not.
import {
  EventTimeSessionWindows, MapStateDescriptor, OutputTag, TumblingEventTimeWindows, Types, WatermarkStrategy, functionFactory,
  type AggregateFunction, type Collector, type KeyedProcessContext, type KeyedProcessFunction, type MapFunction, type ProcessFunction, type ProcessContext, type ProcessWindowContext,
  type ProcessWindowFunction, type TimeWindow,
} from "@millrace/core";
import { DataGeneratorSource, StreamExecutionEnvironment, type DataStream, type KeyedStream, type NotAsync } from "../src/index.js";
import { z } from "zod";
import * as v from "valibot";
import { type } from "arktype";

interface Order {
  readonly id: string;
  readonly amount: number;
  readonly at: Date;
  readonly tags: readonly string[];
}
/** Compiles only when both types are the same. */
function same<A, B>(_check: (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : "the types differ"): void {}
type ElementOf<S> = S extends DataStream<infer T> ? T : never;
type KeyOf<S> = S extends KeyedStream<any, infer K> ? K : never;

export function types(env: StreamExecutionEnvironment, orders: DataStream<Order>): void {
  const literals = env.fromData({ id: "a", n: 1 }, { id: "b", n: 2 });
  same<ElementOf<typeof literals>, { id: string; n: number }>(true);
  const sequence = env.fromSequence(1, 10).map((n) => ({ n, even: n % 2 === 0 }));
  same<ElementOf<typeof sequence>, { n: number; even: boolean }>(true);
  const generated = env.fromCollection(function* () {
    yield 1;
  });
  same<ElementOf<typeof generated>, number>(true);
  const asynchronous = env.fromAsyncIterable(async function* (_position: number) {
    yield "line";
  });
  same<ElementOf<typeof asynchronous>, string>(true);

  // Keys.
  same<KeyOf<ReturnType<typeof byId>>, string>(true);
  function byId() {
    return orders.map((o) => ({ ...o, big: o.amount > 10 })).keyBy((o) => o.id);
  }
  const byField = orders.keyBy("amount");
  same<KeyOf<typeof byField>, number>(true);
  const byFields = orders.keyBy("id", "amount");
  same<KeyOf<typeof byFields>, [string, number]>(true);
  // @ts-expect-error no such field
  orders.keyBy("idd");
  // @ts-expect-error no such field, in a selector
  orders.keyBy((o) => o.idd);
  // @ts-expect-error no such field, in the middle
  orders.keyBy("id", "amont");

  // Promises.
  // @ts-expect-error an async map
  orders.map(async (o) => o.id);
  // @ts-expect-error an async filter
  orders.filter(async (o) => o.amount > 1);
  const tags = orders.flatMap((o) => o.tags);
  same<ElementOf<typeof tags>, string>(true);
  const yielded = orders.flatMap(function* (o) { yield o.amount; });
  same<ElementOf<typeof yielded>, number>(true);
  const collected = orders.flatMap<number>((o, out) => out.collect(o.amount));
  same<ElementOf<typeof collected>, number>(true);
  // @ts-expect-error a string is no list of records
  orders.flatMap((o) => o.id);
  // @ts-expect-error an async flatMap
  orders.flatMap(async (o, out: Collector<string>) => out.collect(o.id));
  // @ts-expect-error an async key selector
  orders.keyBy(async (o) => o.id);
  // @ts-expect-error an async reduce
  orders.keyBy("id").reduce(async (a) => a);
  // @ts-expect-error an async process function
  orders.process<string>(() => ({ async processElement(o, _context, out) { out.collect(o.id); } }));
  const enriched = orders.asyncMap(async (o) => ({ ...o, price: 1 }), { timeout: "5 s", ordered: false });
  same<ElementOf<typeof enriched>, { price: number; id: string; amount: number; at: Date; tags: readonly string[] }>(true);
  orders.sinkTo(async (o) => void o.id);

  // Narrowing, any, never and generic helpers.
  const narrowed = (orders as DataStream<Order | undefined>).filter((o): o is Order => o !== undefined);
  same<ElementOf<typeof narrowed>, Order>(true);
  const parsed = orders.map((o) => JSON.parse(o.id));
  same<ElementOf<typeof parsed>, any>(true);
  orders.map((): never => {
    throw new Error("always");
  });
  generic(orders, (o) => o.amount);

  // Rolling aggregations.
  orders.keyBy("id").sum("amount").map((o) => o.tags);
  orders.keyBy("id").maxBy("at").map((o) => o.amount);
  const total = orders.keyBy("id").sum((o) => o.amount * 2);
  same<ElementOf<typeof total>, number>(true);
  env.fromData([["a", 1]] as [string, number][]).keyBy(0).sum(1);
  // @ts-expect-error a string is not summed
  orders.keyBy("id").sum("id");
  // @ts-expect-error an array has no order
  orders.keyBy("id").min("tags");

  // Functions with methods.
  const deduplicated = orders.keyBy("id").process(Deduplicate);
  same<ElementOf<typeof deduplicated>, Order>(true);
  orders.keyBy("id").process(() => new Deduplicate());
  orders.map(functionFactory(() => new Times(2)));
  // @ts-expect-error an instance
  orders.keyBy("id").process(new Deduplicate());
  // @ts-expect-error the key is a number here
  orders.keyBy("amount").process(Deduplicate);
  // @ts-expect-error a class whose constructor wants arguments
  orders.map(Times);
  orders.keyBy("id").process<string>(() => ({
    processElement(order, context, out) {
      same<typeof context.currentKey, string>(true);
      out.collect(order.id + context.currentKey);
    },
    onTimer(timestampMs, context) {
      same<typeof context.timeDomain, "event-time" | "processing-time">(true);
      context.timerService.registerEventTimeTimer(timestampMs + 1);
    },
  }));

  // Side outputs.
  const late = new OutputTag<{ reason: string }>("late");
  const main = orders.process(Split);
  const side = main.getSideOutput(late);
  same<ElementOf<typeof side>, { reason: string }>(true);
  const invalid = new OutputTag<Order>("x");
  // @ts-expect-error a tag of another type
  orders.keyBy("id").window(TumblingEventTimeWindows.of("5 s")).sideOutputLateData(late);
  orders.keyBy("id").window(TumblingEventTimeWindows.of("5 s")).sideOutputLateData(invalid);

  // Windows.
  const windows = orders.keyBy("id").window(TumblingEventTimeWindows.of("5 s")).allowedLateness("1 min");
  const counted = windows.aggregate(count, (key, window, counts, out: Collector<{ key: string; end: number; n: number }>) => {
    same<typeof key, string>(true);
    same<typeof window, TimeWindow>(true);
    for (const n of counts) out.collect({ key, end: window.endMs, n });
  });
  same<ElementOf<typeof counted>, { key: string; end: number; n: number }>(true);
  const perWindow = windows.process(CountWindow);
  same<ElementOf<typeof perWindow>, string>(true);
  windows.reduce((a, b) => ({ ...a, amount: a.amount + b.amount }), CountWindow);
  orders.keyBy("id").window(EventTimeSessionWindows.withDynamicGap((o) => o.amount)).sum("amount");
  // @ts-expect-error an async window function
  windows.apply(async (_key, _window, _orders, out: Collector<number>) => out.collect(1));
  orders.windowAll(TumblingEventTimeWindows.of("5 s")).apply((window, all, out: Collector<number>) => out.collect([...all].length + window.endMs));

  // Two streams.
  const users = env.fromData({ user: "a", age: 3 });
  const joined = orders.join(users).where((o) => o.id).equalTo((u) => u.user).window(TumblingEventTimeWindows.of(1000)).apply((o, u) => ({ id: o.id, age: u.age }));
  same<ElementOf<typeof joined>, { id: string; age: number }>(true);
  orders.join(users).where("id").equalTo("user");
  // @ts-expect-error keys of different types
  orders.join(users).where("id").equalTo("age");
  // @ts-expect-error keys of different types, by selectors
  orders.coGroup(users).where((o) => o.id).equalTo((u) => u.age);
  const merged = orders.connect(users).map((o) => o.id, (u) => u.user);
  same<ElementOf<typeof merged>, string>(true);
  orders.keyBy("id").connect(users.keyBy("user")).process<string>(() => ({
    processElement1(o, context, out) { out.collect(o.id + context.currentKey); },
    processElement2(u, _context, out) { out.collect(u.user); },
  }));
  // @ts-expect-error keyed by different types
  orders.keyBy("id").intervalJoin(users.keyBy("age"));
  orders.keyBy("id").intervalJoin(users.keyBy("user")).between("-5 s", "5 s").process<number>(() => ({
    processElement(o, u, context, out) { out.collect(o.amount + u.age + context.leftTimestamp); },
  }));
  const rules = new MapStateDescriptor<string, number>("rules");
  orders.keyBy("id").connect(users.broadcast(rules)).process<string>(() => ({
    processElement(o, context, out) {
      same<typeof context.currentKey, string>(true);
      out.collect(o.id + context.getBroadcastState(rules).get("x"));
      // @ts-expect-error read only on this side
      context.getBroadcastState(rules).put("x", 1);
    },
    processBroadcastElement(u, context) { context.getBroadcastState(rules).put(u.user, u.age); },
  }));
  // @ts-expect-error streams of different types
  orders.union(users);

  // Schemas.
  const zod = orders.validate(z.object({ id: z.string(), amount: z.coerce.number() }));
  same<ElementOf<typeof zod>, { id: string; amount: number }>(true);
  const valibot = orders.validate(v.object({ id: v.string() }), { invalid: "skip" });
  same<ElementOf<typeof valibot>, { id: string }>(true);
  const arktype = orders.validate(type({ id: "string" }), { invalid: new OutputTag("bad") });
  same<ElementOf<typeof arktype>, { id: string }>(true);

  // Attributes keep the type of the stream.
  const named = orders.map((o) => o.id).name("ids").uid("ids").setParallelism(2).slotSharingGroup("a").returns(Types.string);
  same<ElementOf<typeof named>, string>(true);
  orders.assignTimestampsAndWatermarks(WatermarkStrategy.forBoundedOutOfOrderness<Order>("5 s").withTimestampAssigner((o) => o.at.getTime()));
  orders.assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withIdleness("1 s").withTimestampAssigner((o) => o.at.getTime()));
  const source = env.fromSource(new DataGeneratorSource((i) => ({ id: String(i), at: i }), 10), WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner((r) => r.at), "generated");
  same<ElementOf<typeof source>, { id: string; at: number }>(true);
}

/** A helper over any stream passes a function on by asking for the same of its caller. */
function generic<T, R>(stream: DataStream<T>, fn: ((value: T) => R) & NotAsync<R>): DataStream<R> {
  return stream.map<R>(fn);
}

class Deduplicate implements KeyedProcessFunction<string, Order, Order> {
  processElement(order: Order, _context: KeyedProcessContext<string>, out: Collector<Order>): void {
    out.collect(order);
  }
}
class Split implements ProcessFunction<Order, number> {
  processElement(order: Order, _context: ProcessContext, out: Collector<number>): void {
    out.collect(order.amount);
  }
}
class Times implements MapFunction<Order, number> {
  readonly factor: number;
  constructor(factor: number) {
    this.factor = factor;
  }
  map(order: Order): number {
    return order.amount * this.factor;
  }
}
class CountWindow implements ProcessWindowFunction<Order, string, string, TimeWindow> {
  process(key: string, context: ProcessWindowContext<TimeWindow>, elements: Iterable<Order>, out: Collector<string>): void {
    out.collect(`${key} ${context.window.endMs} ${[...elements].length}`);
  }
}
const count: AggregateFunction<Order, number, number> = { createAccumulator: () => 0, add: (_order, n) => n + 1, getResult: (n) => n, merge: (a, b) => a + b };
