import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CountEvictor, EventTimeSessionWindows, MapStateDescriptor, OutputTag, TumblingEventTimeWindows, ValueStateDescriptor, WatermarkStrategy,
  type Collector, type FilterFunction, type RuntimeContext, type ValueState,
} from "@millrace/core";
import { MiniCluster } from "@millrace/testkit";
import { z } from "zod";
import { DataGeneratorSource, HybridSource, NumberSequenceSource, RateLimiterStrategy, StreamExecutionEnvironment, type DataStream, type InvalidRecord } from "../src/index.js";

// What the API builds, run for real: one check per kind of operator, so that a spec the runtime reads differently is found here.
const cluster = new MiniCluster();
before(() => cluster.start());
after(() => cluster.stop());

interface Event { readonly k: string; readonly t: number; readonly n: number }
const events: Event[] = [{ k: "a", t: 1000, n: 1 }, { k: "a", t: 2000, n: 2 }, { k: "b", t: 7000, n: 3 }, { k: "a", t: 9000, n: 4 }];
const byTime = WatermarkStrategy.forMonotonousTimestamps<Event>().withTimestampAssigner((event) => event.t);

function newEnv(): StreamExecutionEnvironment {
  return StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(2);
}
function timed(env: StreamExecutionEnvironment = newEnv()): DataStream<Event> {
  return env.fromData(events).assignTimestampsAndWatermarks(byTime).setParallelism(1);
}
const timedNumbers = (stream: DataStream<number>) =>
  stream.assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner((n) => n)).reinterpretAsKeyedStream((n) => n % 10);
function causes(error: unknown): (string | undefined)[] {
  return error instanceof Error ? [(error as { readonly code?: string }).code, ...causes(error.cause)] : [];
}
async function collected(stream: DataStream<any>): Promise<string[]> {
  return (await stream.executeAndCollect()).map((value) => JSON.stringify(value)).sort();
}

test("rolling aggregation, streaming and batch", async () => {
  assert.deepEqual(await collected(timed().keyBy("k").sum("n").map((e) => [e.k, e.n])), ['["a",1]', '["a",3]', '["a",7]', '["b",3]']);
  assert.deepEqual(await collected(timed(newEnv().setRuntimeMode("BATCH")).keyBy("k").sum("n").map((e) => [e.k, e.n])), ['["a",7]', '["b",3]']);
  assert.deepEqual(await collected(timed().keyBy("k").sum((e) => e.n * 10)), ["10", "30", "30", "70"]);
});

test("a stream partitioned by a key already is taken as keyed as it is, and windows or sums over it", async () => {
  const totals = () => timed().keyBy("k").sum("n");
  assert.deepEqual(await collected(totals().reinterpretAsKeyedStream("k").sum("n").map((e) => [e.k, e.n])), ['["a",11]', '["a",1]', '["a",4]', '["b",3]']);
  const windows = totals().reinterpretAsKeyedStream((e) => e.k).window(TumblingEventTimeWindows.of("5 s")).sum("n");
  assert.deepEqual(await collected(windows.map((e) => [e.k, e.n])), ['["a",4]', '["a",7]', '["b",3]']);
  const misrouted = newEnv().fromSequence(1, 100).setParallelism(2).reinterpretAsKeyedStream((n) => n % 10);
  await assert.rejects(misrouted.reduce((a, b) => a + b).executeAndCollect(), (error: Error) => causes(error).includes("KEY_GROUP_MISROUTED"));
  await assert.rejects(
    timedNumbers(misrouted).window(TumblingEventTimeWindows.of("5 s")).reduce((a, b) => a + b).executeAndCollect(), (error: Error) => causes(error).includes("KEY_GROUP_MISROUTED"),
  );
});

test("windows: by key, sessions, over everything, by count, with an evictor", async () => {
  assert.deepEqual(await collected(timed().keyBy("k").window(TumblingEventTimeWindows.of("5 s")).sum("n").map((e) => [e.k, e.n])), ['["a",3]', '["a",4]', '["b",3]']);
  assert.deepEqual(await collected(timed().keyBy("k").window(EventTimeSessionWindows.withGap("3 s")).sum((e) => e.n)), ["3", "3", "4"]);
  assert.deepEqual(await collected(timed().windowAll(TumblingEventTimeWindows.of("5 s")).apply((window, all, out: Collector<[number, number]>) => out.collect([window.endMs, [...all].length]))), ["[10000,2]", "[5000,2]"]);
  assert.deepEqual(await collected(timed().keyBy("k").countWindow(2).sum((e) => e.n)), ["3"]);
  assert.deepEqual(await collected(timed().keyBy("k").countWindow(2, 1).sum((e) => e.n)), ["1", "3", "3", "6"]);
  assert.deepEqual(await collected(timed().windowAll(TumblingEventTimeWindows.of("20 s")).evictor(CountEvictor.of(2)).reduce((a, b) => ({ ...a, n: a.n + b.n })).map((e) => e.n)), ["7"]);
});

test("joins", async () => {
  const env = newEnv();
  const joined = timed(env).join(timed(env)).where("k").equalTo("k").window(TumblingEventTimeWindows.of("5 s")).apply((a, b) => [a.n, b.n]);
  assert.deepEqual(await collected(joined), ["[1,1]", "[1,2]", "[2,1]", "[2,2]", "[3,3]", "[4,4]"]);
  const near = timed(env).keyBy("k").intervalJoin(timed(env).keyBy("k")).between("-1 s", 0).process<number[]>(() => ({ processElement(a, b, _context, out) { out.collect([a.n, b.n]); } }));
  assert.deepEqual(await collected(near), ["[1,1]", "[2,1]", "[2,2]", "[3,3]", "[4,4]"]);
});

test("a rich function of a keyed stream has keyed state", async () => {
  class First implements FilterFunction<Event> {
    #seen!: ValueState<boolean>;
    open(context: RuntimeContext): void {
      this.#seen = context.getState(new ValueStateDescriptor<boolean>("seen"));
    }
    filter(): boolean {
      const first = this.#seen.value() === undefined;
      this.#seen.update(true);
      return first;
    }
  }
  assert.deepEqual(await collected(timed().keyBy("k").filter(First).map((e) => e.k)), ['"a"', '"b"']);
});

test("connected, broadcast, partitioned and multiple inputs; asynchronous calls", async () => {
  const env = newEnv();
  assert.deepEqual(await collected(env.fromData(1, 2).connect(env.fromData("a")).map((n) => `n${n}`, (s) => `s${s}`)), ['"n1"', '"n2"', '"sa"']);
  const rules = new MapStateDescriptor<string, number>("rules");
  const broadcast = env.fromData("x").keyBy((s) => s).connect(env.fromData(1).broadcast(rules)).process<unknown>(() => ({
    processElement(value, context, out) { out.collect([context.currentKey, value]); },
    processBroadcastElement(value, context, out) { context.getBroadcastState(rules).put("n", value); out.collect(value); },
  }));
  assert.deepEqual(await collected(broadcast), ["1", "1", '["x","x"]']);
  assert.deepEqual(await newEnv().setRuntimeMode("BATCH").setParallelism(1).fromData(3, 1, 2).fullWindowPartition().sortPartition((n) => n, "descending").executeAndCollect(), [3, 2, 1]);
  const three = env.transformMultiple<unknown>("Three", [env.fromData(1), env.fromData("b"), env.fromData(true)], () => ({ processInputRecord: (index, value, time, out) => out.collect([index, value], time) }));
  assert.deepEqual(await collected(three), ['[0,1]', '[1,"b"]', "[2,true]"]);
  assert.deepEqual(await newEnv().setParallelism(1).fromData(1, 2, 3).asyncMap(async (n) => n + 1).executeAndCollect(), [2, 3, 4]);
});

test("sources and sinks", async () => {
  const hybrid = HybridSource.builder(new NumberSequenceSource(0, 4)).addSource(new NumberSequenceSource(5, 9)).build();
  assert.deepEqual(await collected(newEnv().fromSource(hybrid, WatermarkStrategy.noWatermarks(), "hybrid")), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  assert.deepEqual(await newEnv().fromAsyncIterable(async function* () { yield 1; yield 2; }).executeAndCollect(), [1, 2]);
  const invalid = new OutputTag<InvalidRecord>("invalid");
  const checked = newEnv().fromCollection<unknown>([{ a: 1 }, { a: "x" }]).validate(z.object({ a: z.number() }), { invalid });
  checked.discard();
  assert.deepEqual((await checked.getSideOutput(invalid).executeAndCollect()).map((record) => record.value), [{ a: "x" }]);
  const written: number[] = [];
  const env = newEnv();
  env.fromSequence(1, 3).pipeTo(new WritableStream<number>({ write: (n) => void written.push(n) }));
  env.fromSequence(4, 6).sinkTo(async (n) => void written.push(n));
  await env.execute();
  assert.deepEqual(written.sort(), [1, 2, 3, 4, 5, 6]);
});

test("a limit ends an endless job; a loop ends with a bounded one", async () => {
  const endless = newEnv().fromSource(new DataGeneratorSource((i) => i, Number.POSITIVE_INFINITY), WatermarkStrategy.noWatermarks(), "endless");
  assert.equal((await endless.executeAndCollect(5)).length, 5);
  const seen: number[] = [];
  for await (const n of newEnv().fromSequence(1, 5).collectAsync()) seen.push(n);
  assert.deepEqual(seen.sort(), [1, 2, 3, 4, 5]);
});

test("what is collected comes exactly once, through a failure", async () => {
  const env = newEnv().enableCheckpointing("10 ms").configure({ "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.delay": 1 });
  let failed = false;
  const numbers = env.fromSource(new DataGeneratorSource((i) => i, 3000, RateLimiterStrategy.perSecond(20_000)), WatermarkStrategy.noWatermarks(), "numbers").map((i) => {
    if (i === 1400 && !failed) {
      failed = true;
      throw new Error("on purpose");
    }
    return i;
  });
  const all = await numbers.executeAndCollect();
  assert.ok(failed);
  assert.deepEqual(all.sort((a, b) => a - b), Array.from({ length: 3000 }, (_, i) => i));
});
