import assert from "node:assert/strict";
import { test } from "node:test";
import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, SumCounter, WatermarkStrategy, type MapFunction, type RuntimeContext } from "millrace";

test("importing millrace is enough to run a job in this thread", async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const words = await env.fromData("to be", "or not to be").flatMap<string>((line, out) => line.split(" ").forEach((word) => out.collect(word)))
    .map((word) => ({ word, count: 1 })).keyBy((entry) => entry.word).sum("count").executeAndCollect();
  assert.deepEqual(words.map(({ word, count }) => `${word} ${count}`).sort(), ["be 1", "be 2", "not 1", "or 1", "to 1", "to 2"]);
});

test("several jobs run one after the other, and at the same time", async () => {
  const doubled = (n: number): Promise<number[]> => StreamExecutionEnvironment.getExecutionEnvironment().fromData(n).map((value) => value * 2).executeAndCollect();
  assert.deepEqual(await doubled(1), [2]);
  assert.deepEqual(await Promise.all([doubled(2), doubled(3)]), [[4], [6]]);
});

test("accumulators are in the result, merged over the subtasks", async () => {
  class Count implements MapFunction<number, number> {
    #count!: SumCounter;
    open(context: RuntimeContext): void {
      this.#count = context.addAccumulator("records", new SumCounter());
    }
    map(value: number): number {
      this.#count.add(1);
      return value;
    }
  }
  const env = StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(3);
  env.fromSequence(1, 100).map(Count).filter(() => false).print();
  assert.deepEqual((await env.execute()).accumulators, { records: 100 });
});

test("executeAsync gives a handle: status, metrics, checkpoint on demand, cancel", async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.fromSource(new DataGeneratorSource((index: number) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(1000)), WatermarkStrategy.noWatermarks(), "numbers")
    .filter(() => false).print();
  const client = await env.executeAsync();
  assert.match(await client.triggerCheckpoint(), /chk-1$/);
  assert.equal(await client.getJobStatus(), "RUNNING");
  assert.equal((await client.getMetrics()).checkpointsCompleted, 1);
  await client.cancel();
  assert.equal(await client.getJobStatus(), "CANCELED");
  await assert.rejects(client.getJobExecutionResult(), { code: "JOB_CANCELED" });
});

test("a failing job names the operator and keeps the error as its cause", async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const thrown = new RangeError("too big");
  env.fromData(1).map((): number => {
    throw thrown;
  }).name("Checker").print();
  await assert.rejects(env.execute(), (error: { code: string; cause: { code: string; message: string; cause: Error } }) => {
    assert.equal(error.code, "JOB_FAILED");
    assert.equal(error.cause.code, "USER_FUNCTION_FAILED");
    assert.match(error.cause.message, /Checker/);
    assert.equal(error.cause.cause.message, "too big");
    return true;
  });
});

test("worker threads cannot be had in the program's own thread", async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ "slot.isolation": "thread" });
  env.fromData(1).print();
  await assert.rejects(env.execute(), { code: "SLOT_ISOLATION_UNAVAILABLE" });
});

test("a failure that nobody catches is printed with the user's frames only", async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.fromData(1).map((): number => {
    throw new RangeError("too big");
  }).print();
  await assert.rejects(env.execute(), (error: Error & { cause: Error & { cause: Error } }) => {
    const frames = [error, error.cause, error.cause.cause].map(({ stack }) => stack!.split("\n").filter((line) => line.startsWith("    at ")));
    assert.deepEqual(frames.map((lines) => lines.length > 0), [true, false, true]);
    for (const line of frames.flat()) assert.match(line, /millrace\.test\.ts:\d+:\d+/);
    return true;
  });
});
