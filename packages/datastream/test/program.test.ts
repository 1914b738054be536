import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import {
  CountEvictor, EventTimeSessionWindows, functionFactory, MapStateDescriptor, OutputTag, TumblingEventTimeWindows, Types, WatermarkStrategy,
  type AggregateFunction, type Collector, type KeyedProcessFunction, type MapFunction, type ProcessWindowContext, type ProcessWindowFunction, type TimeWindow,
} from "@millrace/core";
import { installExecutor, translate, type JobGraph, type OperatorSpec, type StreamNode, type WindowSpec } from "@millrace/graph";
import { AsyncDataStream, AsyncRetryStrategies, StreamExecutionEnvironment, type DataStream } from "../src/index.js";

afterEach(() => installExecutor(undefined as never));

interface Trade { readonly id: string; readonly price: number; readonly at: number }
const trades: Trade[] = [{ id: "a", price: 1, at: 5 }, { id: "b", price: 2, at: 7 }];

function newEnv(options: Readonly<Record<string, unknown>> = {}): StreamExecutionEnvironment {
  return StreamExecutionEnvironment.getExecutionEnvironment(options);
}
/** The node that the stream comes out of. */
function nodeOf(stream: DataStream<any>): StreamNode {
  assert.equal(stream.inputs.length, 1);
  return stream.inputs[0]!.source;
}
function specOf<Type extends OperatorSpec["type"]>(stream: DataStream<any>, type: Type): Extract<OperatorSpec, { type: Type }> {
  const { spec } = nodeOf(stream);
  assert.equal(spec.type, type);
  return spec as Extract<OperatorSpec, { type: Type }>;
}
function plan(env: StreamExecutionEnvironment): JobGraph {
  return translate(env.pipeline(), { jobId: "0".repeat(32) });
}
const sum: AggregateFunction<Trade, number, number> = { createAccumulator: () => 0, add: (t, acc) => acc + t.price, getResult: (acc) => acc };
class Count implements ProcessWindowFunction<any, string, string, TimeWindow> {
  process(key: string, context: ProcessWindowContext<TimeWindow>, elements: Iterable<unknown>, out: Collector<string>): void {
    out.collect(`${key} ${context.window.endMs} ${[...elements].join(",")}`);
  }
}

test("a program becomes a graph with the attributes that were set", () => {
  const env = newEnv().setParallelism(4).setMaxParallelism(200).setBufferTimeout("20 ms");
  env.fromData(trades).map((t) => t).name("clean").uid("clean-1").description("cleans").setParallelism(2).setMaxParallelism(64).slotSharingGroup("g").startNewChain().setBufferTimeout(-1)
    .addMetricVariable("team", "billing").addMetricVariable("tier", "2")
    .returns(Types.object({ id: Types.string, price: Types.double, at: Types.double })).discard().name("nowhere").uid("sink").addMetricVariable("team", "none");
  const graph = plan(env);
  assert.deepEqual(graph.vertices.map((v) => [v.name, v.parallelism, v.maxParallelism, v.slotSharingGroup, v.bufferTimeoutMs]), [
    ["Source: Collection Source", 1, 200, "default", 20],
    ["clean", 2, 64, "g", Number.MAX_SAFE_INTEGER],
    ["Sink: nowhere", 4, 200, "g", 20],
  ]);
  assert.equal(graph.vertices[1]!.operators[0]!.uid, "clean-1");
  assert.deepEqual(graph.vertices.map((v) => v.operators[0]!.metricVariables), [undefined, { team: "billing", tier: "2" }, { team: "none" }]);
  for (const key of ["job_id", "a-b", "__a", ""]) assert.throws(() => env.fromData([1]).map((x) => x).addMetricVariable(key, "x"), { code: "ATTRIBUTE_INVALID" });
});

test("union, side outputs and partitioners are edges, not operators", () => {
  const env = newEnv().setParallelism(2);
  const a = env.fromSequence(1, 2);
  const b = env.fromSequence(3, 4);
  const late = new OutputTag<string>("late");
  a.union(b.rebalance(), b.shuffle()).process<number>(() => ({ processElement() {} })).getSideOutput(late).broadcast().print();
  a.forward().discard();
  a.rescale().discard();
  a.global().discard();
  a.partitionCustom((key: number, n) => key % n, (x) => x).discard();
  const { edges } = plan(env);
  assert.deepEqual(edges.map((edge) => edge.partitioner), ["forward", "rebalance", "shuffle", "broadcast", "rescale", "global", "custom"]);
  assert.equal(edges[3]!.sideOutput, "late");
  assert.equal(env.getStreamGraph().nodes.length, 8);
});

test("keyed operators carry their selectors, plain functions on keyed streams do not", () => {
  const env = newEnv();
  const keyed = env.fromData(trades).keyBy("id");
  class Rich implements MapFunction<Trade, number> { map(t: Trade): number { return t.price; } }
  assert.equal(nodeOf(keyed.map((t) => t.price)).keySelectors.length, 0);
  assert.equal(nodeOf(keyed.map(Rich)).keySelectors[0]!(trades[0]), "a");
  assert.equal(nodeOf(keyed.map(functionFactory(() => new Rich()))).keySelectors.length, 1);
  assert.deepEqual(nodeOf(env.fromData(trades).keyBy("id", "price").reduce((a) => a)).keySelectors[0]!(trades[1]), ["b", 2]);
  assert.equal(nodeOf(keyed.map((t) => t)).inputs[0]!.partitioner.kind, "hash");
  assert.throws(() => keyed.rebalance(), { code: "PARTITIONING_KEYED" });
  // A new key replaces the old one.
  const rekeyed = nodeOf(keyed.keyBy("price").reduce((a) => a));
  assert.equal(rekeyed.inputs.length, 1);
  assert.equal((rekeyed.inputs[0]!.partitioner as any).keySelector(trades[1]), 2);
});

test("rolling aggregations compute what Flink's do", () => {
  const keyed = newEnv().fromData(trades).keyBy("id");
  const fn = (stream: DataStream<any>): ((a: any, b: any) => any) => specOf(stream, "keyedReduce").fn as never;
  const first = { id: "a", price: 3, at: 1 };
  const second = { id: "a", price: 3, at: 2 };
  assert.deepEqual(fn(keyed.sum("price"))(first, second), { id: "a", price: 6, at: 1 });
  assert.deepEqual(fn(keyed.max("at"))(first, second), { id: "a", price: 3, at: 2 });
  assert.deepEqual(fn(keyed.min("at"))(second, first), { id: "a", price: 3, at: 1 });
  assert.equal(fn(keyed.maxBy("price"))(first, second), first);
  assert.equal(fn(keyed.maxBy("price", false))(first, second), second);
  assert.equal(fn(keyed.minBy((t) => t.at))(second, first), first);
  const tuples = newEnv().fromCollection([["a", 1]] as [string, number][]).keyBy(0);
  assert.deepEqual(fn(tuples.sum(1))(["a", 1], ["a", 2]), ["a", 3]);
  assert.equal(nodeOf(keyed.sum((t) => t.price)).spec.type, "map");
});

test("each field has a reducer text of its own", () => {
  const keyed = newEnv().fromData(trades).keyBy("id");
  assert.notEqual(String(specOf(keyed.sum("price"), "keyedReduce").fn), String(specOf(keyed.sum("at"), "keyedReduce").fn));
});

test("windows collect their settings", () => {
  const keyed = newEnv().fromData(trades).keyBy("id");
  const late = new OutputTag<Trade>("late");
  const windows = (): ReturnType<typeof keyed.window<TimeWindow>> => keyed.window(TumblingEventTimeWindows.of("5 s"));
  const spec = specOf(windows().allowedLateness("1 min").sideOutputLateData(late).aggregate(sum, Count), "window");
  assert.equal(spec.keyed, true);
  assert.equal(spec.allowedLatenessMs, 60_000);
  assert.equal(spec.lateTag, late);
  assert.equal(spec.aggregate, sum);
  assert.deepEqual(spec.fn, { kind: "process", fn: Count });
  assert.equal(specOf(windows().reduce((a) => a, (_key, _window, _elements, _out: Collector<number>) => {}), "window").fn!.kind, "plain");
  assert.equal(specOf(windows().reduce((a) => a, () => new Count()), "window").fn!.kind, "process");
  assert.equal(specOf(windows().apply((_key, _window, _elements, _out: Collector<number>) => {}), "window").reduce, undefined);
  const all = newEnv().setParallelism(3).fromData(trades).windowAll(TumblingEventTimeWindows.of("5 s")).sum("price");
  assert.equal(specOf(all, "window").keyed, false);
  assert.equal(nodeOf(all).parallelism, 1);
});

test("an evictor turns incremental aggregation into a fold over what is left", () => {
  const keyed = newEnv().fromData(trades).keyBy("id");
  const evicting = () => keyed.window(TumblingEventTimeWindows.of("5 s")).evictor(CountEvictor.of(2));
  const emitted: unknown[] = [];
  const out: Collector<any> = { collect: (value) => void emitted.push(value) };
  const run = (spec: WindowSpec): void => {
    assert.equal(spec.reduce ?? spec.aggregate, undefined);
    const { fn } = spec.fn! as any;
    if (spec.fn!.kind === "plain") fn("k", { endMs: 5 }, trades, out);
    else fn.create().process("k", { window: { endMs: 5 } }, trades, out);
  };
  run(specOf(evicting().aggregate(sum), "window"));
  run(specOf(evicting().reduce((a, b) => ({ ...a, price: a.price + b.price })), "window"));
  run(specOf(evicting().aggregate(sum, Count), "window"));
  run(specOf(evicting().aggregate(sum, (key, _window, values, collector: Collector<string>) => collector.collect(`${key}=${[...values].join()}`)), "window"));
  assert.deepEqual(emitted, [3, { id: "a", price: 3, at: 5 }, "k 5 3", "k=3"]);
});

test("count windows are global windows with count triggers", () => {
  const keyed = newEnv().fromData(trades).keyBy("id");
  const tumbling = specOf(keyed.countWindow(3).reduce((a) => a), "window");
  assert.equal(tumbling.trigger!.constructor.name, "PurgingTrigger");
  const sliding = specOf(keyed.countWindow(3, 2).process(Count as never), "window");
  assert.equal(sliding.trigger!.constructor.name, "CountTrigger");
  assert.equal((sliding.evictor as CountEvictor).maxCount, 3);
  assert.throws(() => keyed.countWindow(0), { code: "WINDOW_SIZE_INVALID" });
  assert.equal(specOf(newEnv().fromData(trades).countWindowAll(2).reduce((a) => a), "window").keyed, false);
});

test("joins, coGroups, interval joins and connects have two inputs", () => {
  const env = newEnv();
  const a = env.fromData(trades);
  const b = env.fromData({ user: "a", age: 1 });
  const join = a.join(b).where("id").equalTo("user").window(TumblingEventTimeWindows.of("5 s")).allowedLateness("1 s").apply((t, u) => [t.price, u.age]);
  assert.equal(specOf(join, "windowJoin").allowedLatenessMs, 1000);
  assert.deepEqual(nodeOf(join).keySelectors.map((selector, i) => selector!([trades[0], { user: "u" }][i])), ["a", "u"]);
  const flat = a.join(b).where("id").equalTo("user").window(TumblingEventTimeWindows.of("5 s")).apply((t, u, out: Collector<number>) => out.collect(t.price + u.age));
  assert.deepEqual([specOf(flat, "windowJoin").join, typeof specOf(flat, "windowJoin").flatJoin], [undefined, "function"]);
  assert.notEqual(specOf(a.coGroup(b).where((t) => t.id).equalTo((u) => u.user).window(TumblingEventTimeWindows.of("5 s")).apply((_l, _r, _out: Collector<number>) => {}), "windowJoin").coGroup, undefined);
  const between = (lower: any, upper: any) => a.keyBy("id").intervalJoin(b.keyBy("user")).between(lower, upper);
  const pair = { processElement() {} };
  const { lowerBoundMs, upperBoundMs } = specOf(between("-5 s", 2000).lowerBoundExclusive().upperBoundExclusive().process(() => pair), "intervalJoin");
  assert.deepEqual([lowerBoundMs, upperBoundMs], [-4999, 1999]);
  assert.throws(() => between("2 s", "1 s"), { code: "INTERVAL_INVALID" });
  assert.throws(() => between(0, 1).lowerBoundExclusive().upperBoundExclusive().process(() => pair), { code: "INTERVAL_INVALID" });
  const coMap = a.connect(b).map((t) => t.id, (u) => u.user);
  const instance = (specOf(coMap, "coMap").fn as any).create();
  assert.deepEqual([instance.map1(trades[0]), instance.map2({ user: "z" })], ["a", "z"]);
  assert.equal(nodeOf(a.keyBy("id").connect(b.keyBy("user")).process<number>(() => ({ processElement1() {}, processElement2() {} }))).keySelectors.length, 2);
  const rules = new MapStateDescriptor<string, number>("rules");
  const broadcast = nodeOf(a.keyBy("id").connect(b.broadcast(rules)).process<number>(() => ({ processElement() {}, processBroadcastElement() {} })));
  assert.deepEqual([broadcast.spec.type, broadcast.keySelectors.length, broadcast.keySelectors[1]], ["keyedBroadcastProcess", 2, undefined]);
  assert.equal(broadcast.inputs[1]!.partitioner.kind, "broadcast");
  assert.throws(() => a.connect(newEnv().fromData(1)), { code: "ENVIRONMENT_MIXED" });
});

test("async calls, partition windows, custom operators", () => {
  const env = newEnv();
  const a = env.fromData(trades);
  const spec = specOf(a.asyncMap(async (t) => t.price, { timeout: "1 s", ordered: false, retry: AsyncRetryStrategies.exponentialBackoff(3, 100, "1 s", 2) }), "async");
  assert.deepEqual([spec.ordered, spec.timeoutMs, spec.capacity, [2, 3, 9].map((n) => spec.retry!.backoffMs(n))], [false, 1000, 100, [100, 200, 1000]]);
  class Lookup { async asyncInvoke(t: Trade): Promise<readonly number[]> { return [t.price]; } }
  assert.equal(specOf(AsyncDataStream.orderedWait(a, Lookup, "1 s", 5), "async").capacity, 5);
  assert.throws(() => a.asyncMap(async () => 1, { capacity: 0 }), { code: "ASYNC_CAPACITY_INVALID" });
  assert.equal(specOf(a.keyBy("id").fullWindowPartition().sortPartition("price", "descending"), "partitionWindow").keyed, true);
  assert.equal(specOf(a.fullWindowPartition().mapPartition((values, out: Collector<number>) => out.collect([...values].length)), "partitionWindow").keyed, false);
  const custom = env.transformMultiple("Three", [a, a.keyBy("id"), a], () => ({ processInputRecord() {} }));
  assert.deepEqual(nodeOf(custom).keySelectors.map((selector) => typeof selector), ["undefined", "function", "undefined"]);
  assert.equal(nodeOf(custom).inputs.length, 3);
});

test("functions are checked when they are given", () => {
  const a = newEnv().fromData(trades);
  const keyed = a.keyBy("id");
  class Dedup implements KeyedProcessFunction<string, Trade, Trade> { processElement(): void {} }
  assert.throws(() => a.map(undefined as never), { code: "FUNCTION_MISSING" });
  assert.throws(() => keyed.process(new Dedup() as never), { code: "FUNCTION_INSTANCE", hint: /process\(MyFunction\)/ });
  assert.throws(() => keyed.process(((value: unknown) => value) as never), { code: "FUNCTION_INVALID" });
  assert.throws(() => a.map((async () => 1) as never), { code: "FUNCTION_ASYNC", hint: /asyncMap/ });
  assert.throws(() => a.keyBy(class {} as never), { code: "FUNCTION_MISSING" });
  assert.throws(() => a.sinkTo(undefined as never), { code: "SINK_INVALID" });
  assert.throws(() => newEnv().fromSource(undefined as never, WatermarkStrategy.noWatermarks(), "x"), { code: "SOURCE_INVALID" });
  assert.throws(() => keyed.window(undefined as never), { code: "WINDOW_ASSIGNER_INVALID" });
  assert.throws(() => keyed.window(EventTimeSessionWindows.withGap("1 s")).aggregate(sum), { code: "AGGREGATE_MERGE_MISSING" });
  assert.throws(() => keyed.window(EventTimeSessionWindows.withGap("1 s")).trigger({ onElement: () => "CONTINUE" } as never), { code: "TRIGGER_CANNOT_MERGE" });
  assert.throws(() => keyed.window(TumblingEventTimeWindows.of("1 s")).aggregate({ add: 1 } as never), { code: "AGGREGATE_INVALID", message: /createAccumulator/ });
  assert.throws(() => keyed.window(TumblingEventTimeWindows.of("1 s")).allowedLateness("-1 s" as never), { code: "DURATION_INVALID" });
});

test("a wrong field name is caught where the records are known", () => {
  const a = newEnv().fromData(trades);
  assert.throws(() => a.keyBy("pricee" as never), { code: "FIELD_UNKNOWN", hint: 'did you mean "price"?' });
  assert.throws(() => a.filter(() => true).keyBy("id").sum("prise" as never), { code: "FIELD_UNKNOWN" });
  assert.throws(() => a.map((t) => t).returns(Types.object({ id: Types.string }) as never).keyBy("ix" as never), { code: "FIELD_UNKNOWN" });
  a.map((t) => ({ ...t, extra: 1 })).keyBy("extra");
});

test("attributes are checked when they are set", () => {
  const a = newEnv().fromData(trades).map((t) => t);
  for (const wrong of [0, -1, Number.NaN, 1.5, 40_000]) {
    assert.throws(() => a.setParallelism(wrong), { code: "PARALLELISM_INVALID", message: /"Map"/ });
    assert.throws(() => newEnv().setMaxParallelism(wrong), { code: "PARALLELISM_INVALID" });
  }
  assert.throws(() => a.uid(""), { code: "ATTRIBUTE_INVALID" });
  assert.throws(() => newEnv().enableCheckpointing(0), { code: "DURATION_INVALID" });
  assert.throws(() => newEnv({ "parallelism.defualt": 2 }), { code: "CONFIG_UNKNOWN_KEY", hint: 'did you mean "parallelism.default"?' });
});

test("the command line wins over the program", () => {
  const env = newEnv().setParallelism(2);
  env.getConfig().setGlobalJobParameters({ input: "a", only: "program" });
  env.fromSequence(1, 2).discard();
  installExecutor({ execute: async () => undefined as never, configOverrides: { "parallelism.default": "3", "pipeline.name": "cli" }, parameterOverrides: { input: "b" } });
  assert.equal(env.getParallelism(), 3);
  const pipeline = env.pipeline("program");
  assert.deepEqual([pipeline.jobName, pipeline.parameters], ["cli", { input: "b", only: "program" }]);
  assert.equal(plan(env).vertices[0]!.parallelism, 3);
});

test("unread sources are left out; execute forgets what it ran", async () => {
  const env = newEnv();
  env.fromSequence(1, 2);
  assert.throws(() => env.getExecutionPlan(), { code: "GRAPH_EMPTY" });
  const kept = env.fromSequence(3, 4).map((n) => n);
  kept.discard();
  installExecutor({ execute: async () => undefined as never });
  await env.executeAsync();
  assert.equal(env.getStreamGraph().nodes.length, 0);
  kept.print();
  assert.deepEqual(env.getStreamGraph().nodes.map((node) => node.spec.type), ["source", "map", "sink"]);
});
