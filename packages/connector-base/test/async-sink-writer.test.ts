import assert from "node:assert/strict";
import { test } from "node:test";
import { isMillraceError, MillraceError, type SinkWriter } from "@millrace/core";
import { AimdScalingStrategy, AsyncSink, CongestionControlStrategy, type AsyncSinkOptions, type AsyncSinkState } from "../src/index.js";
import { TestContext } from "./support/writer-context.js";

type Writer = SinkWriter<string> & { snapshotState(checkpointId: number): readonly AsyncSinkState<string>[] };

/** A request on its way, answered by the test. */
interface Request {
  readonly entries: readonly string[];
  answer(again?: readonly string[]): void;
  fail(error: Error): void;
}

class Bench {
  readonly test = new TestContext();
  readonly requests: Request[] = [];
  readonly submit = (entries: readonly string[]): Promise<readonly string[]> =>
    new Promise((resolve, reject) => void this.requests.push({ entries, answer: (again = []) => resolve(again), fail: reject }));

  async writer(options: Partial<AsyncSinkOptions<string, string>>, restored: readonly AsyncSinkState<string>[] = []): Promise<Writer> {
    const sink = AsyncSink.of<string, string>({ elementConverter: (value) => value, connect: () => ({ submit: this.submit, close() {} }), ...options });
    return (await sink.restoreWriter(this.test.context, restored)) as Writer;
  }
  get sent(): readonly string[] {
    return this.requests.map(({ entries }) => entries.join(""));
  }
}

const CONTEXT = { timestamp: undefined, currentWatermark: 0 };
function write(writer: Writer, ...values: readonly string[]): void {
  for (const value of values) assert.equal(writer.write(value, CONTEXT), undefined, "the input is held back");
}

test("a request is sent when it has enough entries, enough bytes, or the first has waited long enough", async () => {
  const bench = new Bench();
  const writer = await bench.writer({ maxBatchSize: 3, maxBatchSizeInBytes: 10, sizeInBytes: (entry) => entry.length, maxTimeInBuffer: "1 s" });
  write(writer, "a", "b");
  assert.deepEqual(bench.sent, []);
  write(writer, "c");
  assert.deepEqual(bench.sent, ["abc"]);
  bench.requests[0]!.answer();
  await bench.test.pass(0);
  write(writer, "dddddd", "eeeeee");
  assert.deepEqual(bench.sent, ["abc", "dddddd"], "a request has at most so many bytes");
  await bench.test.pass(1000);
  assert.deepEqual(bench.sent, ["abc", "dddddd", "eeeeee"]);
  for (const request of bench.requests.slice(1)) request.answer();
  await bench.test.pass(0);
  assert.equal(bench.test.count("numRecordsSend"), 5);
  assert.equal(bench.test.count("numBytesSend"), 15);
  await writer.close();
});

test("what comes back is sent again before all others, in order", async () => {
  const bench = new Bench();
  const writer = await bench.writer({ maxBatchSize: 4, maxInFlightRequests: 1, maxTimeInBuffer: 10 });
  write(writer, "a", "b", "c", "d", "e", "f");
  bench.requests[0]!.answer(["b", "d"]);
  await bench.test.pass(10);
  assert.equal(bench.sent[1]!.slice(0, 2), "bd");
  const rest: string[] = [];
  for (let at = 1; at < bench.requests.length; at++) {
    rest.push(...bench.requests[at]!.entries);
    bench.requests[at]!.answer();
    await bench.test.pass(10);
  }
  assert.deepEqual(rest, ["b", "d", "e", "f"]);
  assert.equal(bench.test.count("numRecordsSendErrors"), 2);
  await writer.close();
});

test("the input is held back while too much waits, and goes on when an answer makes room", async () => {
  const bench = new Bench();
  const writer = await bench.writer({ maxBatchSize: 2, maxInFlightRequests: 1, maxBufferedRequests: 3 });
  write(writer, "a", "b", "c", "d", "e");
  const held = writer.write("f", CONTEXT) as Promise<void>;
  let isThrough = false;
  void held.then(() => (isThrough = true));
  await bench.test.pass(100);
  assert.equal(isThrough, false);
  bench.requests[0]!.answer();
  await bench.test.pass(0);
  assert.equal(isThrough, true);
  assert.deepEqual(bench.sent, ["ab", "cd"]);
  await writer.close();
});

test("a checkpoint waits for answers and holds what is not sent; the end of input sends all", async () => {
  const bench = new Bench();
  const writer = await bench.writer({ maxBatchSize: 2 });
  write(writer, "a", "b", "c");
  const flushed = Promise.resolve(writer.flush(false));
  bench.requests[0]!.answer(["b"]);
  await flushed;
  assert.deepEqual(bench.sent, ["ab"], "nothing more is sent meanwhile");
  assert.deepEqual(writer.snapshotState(1), [{ entries: ["b", "c"] }]);
  await writer.close();

  const other = new Bench();
  const restored = await other.writer({ maxBatchSize: 2, maxTimeInBuffer: 10 }, [{ entries: ["b", "c"] }, { entries: ["x"] }]);
  assert.deepEqual(other.sent, ["bc"]);
  assert.deepEqual(restored.snapshotState(1), [{ entries: ["b", "c", "x"] }], "what is on its way may not arrive");
  const ended = Promise.resolve(restored.flush(true));
  other.requests[0]!.answer();
  await other.test.pass(0);
  other.requests[1]!.answer();
  await ended;
  assert.deepEqual(other.sent, ["bc", "x"]);
  assert.deepEqual(restored.snapshotState(2), []);
  await restored.close();
});

test("a fatal error fails the task even when no record comes, and the next call", async () => {
  const bench = new Bench();
  const writer = await bench.writer({ maxBatchSize: 1 });
  write(writer, "a");
  bench.requests[0]!.fail(new Error("no such table"));
  await bench.test.pass(0);
  assert.deepEqual(bench.test.failures.map(String), ["Error: no such table"]);
  assert.throws(() => writer.write("b", CONTEXT), /no such table/);
  await assert.rejects(async () => writer.flush(false), /no such table/);
  await writer.close();
});

test("an error that says retry, and a request without an answer, are sent again", async () => {
  const bench = new Bench();
  const writer = await bench.writer({ maxBatchSize: 2, maxTimeInBuffer: 10, requestTimeout: "1 min" });
  write(writer, "a", "b");
  bench.requests[0]!.fail(new MillraceError({ code: "BUSY", message: "busy", recovery: "retry" }));
  await bench.test.pass(10);
  assert.equal(bench.requests[1]!.entries[0], "a");
  await bench.test.pass(120_000);
  assert.ok(bench.requests.length > 2, "it timed out");
  assert.deepEqual(bench.test.failures, []);
  await writer.close();

  const strict = new Bench();
  const failing = await strict.writer({ maxBatchSize: 1, requestTimeout: 100, failOnTimeout: true });
  write(failing, "a");
  await strict.test.pass(100);
  assert.ok(isMillraceError(strict.test.failures[0]) && strict.test.failures[0].code === "SINK_REQUEST_TIMEOUT");
  await failing.close();
});

test("an entry that is too large is refused", async () => {
  const writer = await new Bench().writer({ maxRecordSizeInBytes: 3, sizeInBytes: (entry) => entry.length });
  assert.throws(() => writer.write("four", CONTEXT), (error) => isMillraceError(error) && error.code === "SINK_ENTRY_TOO_LARGE");
});

test("the rate grows with successes and halves with failures, within its bounds", () => {
  const strategy = new CongestionControlStrategy({ maxInFlightRequests: 2, initialMaxInFlightEntries: 10, scalingStrategy: new AimdScalingStrategy({ rateThreshold: 25, increaseRate: 10 }) });
  const request = { batchSize: 10 };
  assert.equal(strategy.shouldBlock(request), false);
  strategy.registerInFlightRequest(request);
  assert.equal(strategy.shouldBlock({ batchSize: 1 }), true, "10 entries are on their way");
  strategy.registerCompletedRequest({ ...request, failedEntries: 0 });
  assert.equal(strategy.maxBatchSize, 20);
  strategy.registerInFlightRequest(request);
  strategy.registerCompletedRequest({ ...request, failedEntries: 0 });
  assert.equal(strategy.maxBatchSize, 25, "not above the threshold");
  for (const rate of [13, 7, 4, 2, 1, 1]) {
    strategy.registerInFlightRequest(request);
    strategy.registerCompletedRequest({ ...request, failedEntries: 1 });
    assert.equal(strategy.maxBatchSize, rate);
  }
});
