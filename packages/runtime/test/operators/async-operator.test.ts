import assert from "node:assert/strict";
import { test } from "node:test";
import type { AsyncSpec } from "@millrace/graph";
import { OneInputHarness, type HarnessOptions } from "@millrace/testkit";

/** Calls that are answered by the test. */
class Calls {
  readonly values: number[] = [];
  readonly #pending: { readonly value: number; readonly resolve: (result: string) => void; readonly reject: (error: unknown) => void }[] = [];

  readonly call = (value: number): Promise<string> =>
    new Promise((resolve, reject) => {
      this.values.push(value);
      this.#pending.push({ value, resolve, reject });
    });

  #take(value: number) {
    const index = this.#pending.findIndex((pending) => pending.value === value);
    return this.#pending.splice(index, 1)[0]!;
  }
  answer(value: number, result = `r${value}`): void {
    this.#take(value).resolve(result);
  }
  fail(value: number): void {
    this.#take(value).reject(new Error(`call ${value} failed`));
  }
}

function open(calls: Calls, more: Partial<AsyncSpec>, options?: HarnessOptions): Promise<OneInputHarness<number, string>> {
  return OneInputHarness.open<number, string>({ type: "async", fn: calls.call as never, ordered: true, timeoutMs: 0, capacity: 10, ...more }, options);
}

const shown = (harness: OneInputHarness<number, string>): unknown[] =>
  harness.elements.map((element) => (element.kind === "record" ? `${element.value}@${element.timestampMs}` : element.kind === "watermark" ? element.timestampMs : "status"));

test("ordered results come in input order, with their records' times", async () => {
  const calls = new Calls();
  const harness = await open(calls, {});
  for (const value of [1, 2, 3]) harness.processElement(value, value * 10);
  calls.answer(3);
  calls.answer(2);
  await harness.settle();
  assert.deepEqual(shown(harness), []);
  calls.answer(1);
  await harness.settle();
  assert.deepEqual(shown(harness), ["r1@10", "r2@20", "r3@30"]);
});

test("unordered results come as they are ready, but never pass a watermark", async () => {
  const calls = new Calls();
  const harness = await open(calls, { ordered: false });
  harness.processElement(1, 1);
  harness.processElement(2, 2);
  harness.processWatermark(5);
  harness.processElement(3, 6);
  harness.processWatermark(7);
  calls.answer(3);
  calls.answer(2);
  await harness.settle();
  assert.deepEqual(shown(harness), ["r2@2"]);
  calls.answer(1);
  await harness.settle();
  assert.deepEqual(shown(harness), ["r2@2", "r1@1", 5, "r3@6", 7]);
});

test("no more than the capacity is in flight, and the input is suspended meanwhile", async () => {
  const calls = new Calls();
  const harness = await open(calls, { capacity: 2 });
  harness.processElement(1);
  assert.equal(harness.suspended, false);
  // The rest of a batch comes all the same.
  for (const value of [2, 3, 4]) harness.processElement(value);
  assert.equal(harness.suspended, true);
  assert.deepEqual(calls.values, [1, 2]);
  calls.answer(1);
  await harness.settle();
  assert.deepEqual(calls.values, [1, 2, 3]);
  assert.equal(harness.suspended, true);
  calls.answer(2);
  calls.answer(3);
  await harness.settle();
  assert.equal(harness.suspended, false);
  calls.answer(4);
  await harness.finish();
  assert.deepEqual(harness.values, ["r1", "r2", "r3", "r4"]);
});

test("a failed call fails the task, unless a retry succeeds", async () => {
  const calls = new Calls();
  const failing = await open(calls, {});
  failing.processElement(1);
  calls.fail(1);
  await assert.rejects(failing.settle(), /call 1 failed/);

  const retry = { maxAttempts: 3, backoffMs: (attempt: number) => attempt * 100, retryOnResult: ([result]: readonly string[]) => result === "empty" };
  const harness = await open(calls, { retry });
  harness.processElement(2);
  calls.fail(2);
  await harness.settle();
  harness.setProcessingTime(199);
  assert.deepEqual(calls.values, [1, 2]);
  harness.setProcessingTime(200);
  calls.answer(2, "empty");
  await harness.settle();
  harness.setProcessingTime(500);
  assert.deepEqual(calls.values, [1, 2, 2, 2]);
  calls.answer(2, "full");
  await harness.settle();
  assert.deepEqual(harness.values, ["full"]);
});

test("a slow call times out: an error, or what timeout() says", async () => {
  const calls = new Calls();
  const failing = await open(calls, { timeoutMs: 100 });
  failing.processElement(1);
  failing.setProcessingTime(99);
  assert.throws(() => failing.setProcessingTime(100), { code: "ASYNC_TIMEOUT" });

  const fn = () => ({ asyncInvoke: async (value: number) => [await calls.call(value)], timeout: (value: number) => [`timeout ${value}`] });
  const harness = await open(calls, { fn: fn as never, timeoutMs: 100 });
  harness.processElement(2);
  harness.setProcessingTime(100);
  calls.answer(2);
  await harness.settle();
  assert.deepEqual(harness.values, ["timeout 2"]);
});

test("calls in flight are made again after a restore, in order", async () => {
  const calls = new Calls();
  const harness = await open(calls, {});
  for (const value of [1, 2, 3]) harness.processElement(value, value);
  calls.answer(1);
  calls.answer(3);
  await harness.settle();
  const again = new Calls();
  const restored = await open(again, {}, { restore: await harness.snapshot() });
  assert.deepEqual(again.values, [2, 3]);
  for (const value of [2, 3]) again.answer(value);
  await restored.settle();
  assert.deepEqual(shown(restored), ["r2@2", "r3@3"]);
});
