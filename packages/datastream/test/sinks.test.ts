import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { allOptions, Configuration, type SinkWriter, type SinkWriterContext } from "@millrace/core";
import { CollectSink, FunctionSink, PrintSink, WritableSink, type CollectedChunk } from "../src/index.js";
import { formatRecord } from "../src/sinks/format-record.js";
import { ManualClock, noMetrics } from "./source-driver.js";

class Context implements SinkWriterContext {
  readonly jobId = "1";
  readonly operatorId = "2";
  readonly restoredCheckpointId = undefined;
  readonly attemptNumber = 0;
  readonly clock = new ManualClock();
  readonly fs = undefined as never;
  readonly metrics = noMetrics;
  readonly lines: string[] = [];
  readonly collected: CollectedChunk<unknown>[] = [];
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly config: Configuration;
  constructor(parallelism = 1, subtaskIndex = 0, options: Readonly<Record<string, unknown>> = {}) {
    this.parallelism = parallelism;
    this.subtaskIndex = subtaskIndex;
    this.config = Configuration.of(options, allOptions);
  }
  random(): number {
    return 0.5;
  }
  registerTimer(delayMs: number, action: () => void): { cancel(): void } {
    return this.clock.setTimer(delayMs, action);
  }
  log(level: string, line: string): void {
    this.lines.push(`${level} ${line}`);
  }
  collect(collectId: string, values: readonly unknown[]): void {
    assert.equal(collectId, "collect-1");
    this.collected.push(...(values as CollectedChunk<unknown>[]));
  }
}
const write = { timestamp: undefined, currentWatermark: 0 };

test("print labels lines as Flink does", () => {
  for (const [prefix, parallelism, expected] of [[undefined, 1, "x"], [undefined, 4, "3> x"], ["out", 1, "out> x"], ["out", 4, "out:3> x"]] as const) {
    const context = new Context(parallelism, 2);
    void new PrintSink<string>("print", prefix).createWriter(context).write("x", write);
    assert.deepEqual(context.lines, [`print ${expected}`]);
  }
});

test("records are shown as they would be written", () => {
  const shown = formatRecord({ a: 1, "b c": "t\n", d: [1n, -0, null, undefined], e: new Date(0), f: new Map([["k", new Set([1])]]), g: new Uint8Array([1, 2]), h: {}, i: Number.NaN });
  assert.equal(shown, '{ a: 1, "b c": "t\\n", d: [1n, -0, null, undefined], e: 1970-01-01T00:00:00.000Z, f: Map(1) {"k" => Set(1) {1}}, g: Uint8Array(2) [1, 2], h: {}, i: NaN }');
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  assert.match(formatRecord(cyclic), /…/);
});

test("a function sink passes promises on", async () => {
  const seen: number[] = [];
  const writer = new FunctionSink<number>(async (n) => void seen.push(n)).createWriter();
  const written = writer.write(1, write);
  assert.ok(written instanceof Promise);
  await written;
  assert.deepEqual(seen, [1]);
});

test("node streams: waits for drain, ends with the input, reports failures", async () => {
  const chunks: unknown[] = [];
  const stream = new Writable({ objectMode: true, highWaterMark: 2, write(chunk, _encoding, done) { chunks.push(chunk); setImmediate(done); } });
  const writer = await new WritableSink<number>(stream).createWriter(new Context());
  for (let i = 0; i < 10; i++) await writer.write(i, write);
  await writer.flush(true);
  await writer.close();
  assert.deepEqual(chunks, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.ok(stream.writableFinished);
  const failing = new Writable({ objectMode: true, highWaterMark: 1, write(_chunk, _encoding, done) { done(new Error("disk full")); } });
  const broken = await new WritableSink<number>(() => failing).createWriter(new Context());
  await assert.rejects(async () => { await broken.write(1, write); await broken.flush(true); }, /disk full/);
});

test("web streams: keep order and back-pressure", async () => {
  const chunks: number[] = [];
  let closed = false;
  const stream = new WritableStream<number>({ async write(chunk) { await new Promise((resolve) => setImmediate(resolve)); chunks.push(chunk); }, close() { closed = true; } });
  const writer: SinkWriter<number> = await new WritableSink<number>(stream).createWriter(new Context());
  for (let i = 0; i < 5; i++) await writer.write(i, write);
  await writer.flush(false);
  assert.deepEqual(chunks, [0, 1, 2, 3, 4]);
  await writer.flush(true);
  await writer.close();
  assert.ok(closed);
  assert.throws(() => new WritableSink({} as never), { code: "SINK_INVALID" });
});

test("collected records go at once without checkpoints", () => {
  const context = new Context();
  const writer = new CollectSink<number>("collect-1").createWriter(context);
  writer.write(1);
  writer.write(2);
  assert.equal(context.collected.length, 0);
  context.clock.advance();
  assert.deepEqual(context.collected, [{ firstIndex: undefined, values: [1, 2] }]);
  writer.write(3);
  writer.flush();
  assert.deepEqual(context.collected[1]!.values, [3]);
  assert.deepEqual(writer.prepareCommit(), []);
});

test("with checkpoints they go when committed, numbered across restores", () => {
  const context = new Context(1, 0, { "execution.checkpointing.interval": "1 s" });
  const sink = new CollectSink<number>("collect-1");
  const writer = sink.createWriter(context);
  writer.write(1);
  writer.write(2);
  writer.flush();
  const chunks = writer.prepareCommit();
  const state = writer.snapshotState();
  assert.deepEqual([context.collected.length, chunks, state], [0, [{ firstIndex: 0, values: [1, 2] }], [2]]);
  void sink.createCommitter(context).commit(chunks.map((committable) => ({ committable, numberOfRetries: 0, retryLater() {}, signalAlreadyCommitted() {}, signalFailedWithKnownReason() {} })));
  assert.deepEqual(context.collected, chunks);
  const restored = sink.restoreWriter(context, state);
  restored.write(3);
  assert.deepEqual(restored.prepareCommit(), [{ firstIndex: 2, values: [3] }]);
});
