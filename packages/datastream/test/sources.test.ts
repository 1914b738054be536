import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { AsyncIterableSource, CollectionSource, DataGeneratorSource, HybridSource, NumberSequenceSource, RateLimiterStrategy, SocketTextSource } from "../src/index.js";
import { everyRestore, ManualClock, ManualNet, SourceDriver } from "./source-driver.js";

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

test("a collection is read in order, and goes on where the checkpoint was, at any point", async () => {
  const values = upTo(3000);
  const makers: (() => CollectionSource<number>)[] = [
    () => new CollectionSource(values),
    () => new CollectionSource(new Set(values)),
    () => new CollectionSource(function* () { yield* values; }),
  ];
  for (const make of makers) {
    const { straight, restored } = await everyRestore(make);
    assert.deepEqual(straight, values);
    assert.ok(restored.length >= 3);
    for (const run of restored) assert.deepEqual(run, values);
  }
});

test("an empty collection ends, and an infinite generator function does not hold the task", async () => {
  assert.deepEqual(await (await new SourceDriver(new CollectionSource([])).start()).run(), []);
  const endless = await new SourceDriver(new CollectionSource(function* () { for (let i = 0; ; i++) yield i; }, "continuous-unbounded")).start();
  for (let i = 0; i < 5; i++) await endless.step();
  assert.ok(endless.records.length > 0 && endless.records.length < 10_000);
  await endless.close();
});

test("a running iterator cannot be restored", async () => {
  const running = [1, 2, 3].values();
  const source = new CollectionSource<number>(running);
  const driver = await new SourceDriver(source).start();
  assert.deepEqual(await driver.run(), [1, 2, 3]);
  await assert.rejects(async () => (await new SourceDriver(source).start()).run(), { code: "SOURCE_NOT_REPLAYABLE" });
});

test("a generator that gives fewer records than before is refused", async () => {
  let length = 5000;
  const source = new CollectionSource<number>(function* () { yield* upTo(length); });
  const driver = await new SourceDriver(source).start();
  while (driver.records.length < 1500) await driver.step();
  const checkpoint = await driver.checkpoint();
  length = 10;
  await assert.rejects(async () => (await new SourceDriver(source).start(checkpoint)).run(), { code: "SOURCE_NOT_REPLAYABLE" });
});

test("what is no collection is refused when it is given", () => {
  for (const wrong of [undefined, null, 5, {}]) assert.throws(() => new CollectionSource(wrong as never), { code: "COLLECTION_INVALID" });
  assert.throws(() => new AsyncIterableSource([1] as never), { code: "COLLECTION_INVALID" });
});

test("a sequence is cut into one range per subtask and restored at any point", async () => {
  for (const [size, parallelism] of [[1, 1], [5000, 1], [5000, 3], [2, 4]] as const) {
    const { straight, restored } = await everyRestore(() => new NumberSequenceSource(0, size - 1), parallelism);
    assert.deepEqual(sorted(straight), upTo(size));
    for (const run of restored) assert.deepEqual(sorted(run), upTo(size));
  }
  assert.throws(() => new NumberSequenceSource(3, 1), { code: "SEQUENCE_INVALID" });
  assert.throws(() => new NumberSequenceSource(0, 2 ** 53), { code: "SEQUENCE_INVALID" });
});

test("generated records are restored at any point", async () => {
  const { straight, restored } = await everyRestore(() => new DataGeneratorSource((i) => i * 2, 4000), 2);
  assert.deepEqual(sorted(straight), upTo(4000).map((i) => i * 2));
  for (const run of restored) assert.deepEqual(sorted(run), sorted(straight));
  assert.deepEqual(await (await new SourceDriver(new DataGeneratorSource((i) => i, 0)).start()).run(), []);
  assert.equal(new DataGeneratorSource((i) => i, Number.POSITIVE_INFINITY).boundedness, "continuous-unbounded");
  assert.throws(() => new DataGeneratorSource((i) => i, -1), { code: "GENERATOR_COUNT_INVALID" });
});

test("a rate limit per second holds over time, whatever the rate", async () => {
  for (const [rate, parallelism] of [[0.5, 1], [1, 1], [100, 2], [5000, 1]] as const) {
    const clock = new ManualClock();
    const count = Math.max(3, Math.round(rate * 5));
    const driver = await new SourceDriver(new DataGeneratorSource((i) => i, count, RateLimiterStrategy.perSecond(rate)), parallelism, { clock }).start();
    const waits: Promise<void>[] = [];
    for (let i = 0; i < 100_000 && !driver.ended; i++) {
      await driver.step();
      for (let subtask = 0; subtask < parallelism; subtask++) if (driver.status[subtask] === "nothing-available") waits.push(driver.available(subtask));
      if (!driver.ended) clock.advance();
    }
    assert.equal(driver.records.length, count);
    const expectedMs = ((count - 1) / rate) * 1000;
    assert.ok(clock.now >= expectedMs * 0.7 && clock.now <= expectedMs * 1.3, `${rate}/s: ${count} records took ${clock.now} ms, expected about ${expectedMs}`);
  }
});

test("a rate limit per checkpoint gives its share to every subtask", async () => {
  const driver = await new SourceDriver(new DataGeneratorSource((i) => i, 100, RateLimiterStrategy.perCheckpoint(7)), 2).start();
  for (let round = 1; round <= 3; round++) {
    for (let i = 0; i < 5; i++) await driver.step();
    assert.equal(driver.records.length, 7 * round);
    await driver.checkpoint(round);
    await driver.complete(round);
  }
  await assert.rejects(new SourceDriver(new DataGeneratorSource((i) => i, 100, RateLimiterStrategy.perCheckpoint(1)), 2).start(), { code: "RATE_LIMIT_INVALID" });
  for (const wrong of [0, -1, Number.NaN]) assert.throws(() => RateLimiterStrategy.perSecond(wrong), { code: "RATE_LIMIT_INVALID" });
});

test("async iterables: a generator function, a Node stream, a Web stream", async () => {
  const values = upTo(2500);
  const sources = [
    new AsyncIterableSource<number>(async function* () { yield* values; }),
    new AsyncIterableSource<number>(Readable.from(values)),
    new AsyncIterableSource<number>(new ReadableStream<number>({ start(controller) { for (const value of values) controller.enqueue(value); controller.close(); } })),
    new AsyncIterableSource<number>({ getReader: () => { let i = 0; return { read: async () => (i < values.length ? { done: false, value: values[i++]! } : { done: true }), cancel: async () => {} }; } }),
  ];
  for (const source of sources) assert.deepEqual(await (await new SourceDriver(source).start()).run(), values);
});

test("an async function is opened again: by position when it takes one, else by skipping", async () => {
  const values = upTo(1500);
  for (const open of [async function* () { yield* values; }, async function* (position: number) { yield* values.slice(position); }]) {
    const { straight, restored } = await everyRestore(() => new AsyncIterableSource<number>(open));
    assert.deepEqual(straight, values);
    for (const run of restored) assert.deepEqual(run, values);
  }
});

test("an async iterable that was read from cannot be restored, and its failure fails the task", async () => {
  const stream = Readable.from([1, 2, 3]);
  const source = new AsyncIterableSource<number>(stream);
  const driver = await new SourceDriver(source).start();
  await driver.run();
  await assert.rejects(async () => (await new SourceDriver(source).start()).run(), { code: "SOURCE_NOT_REPLAYABLE" });
  const failing = new AsyncIterableSource<number>(async function* () { yield 1; throw new Error("the stream broke"); });
  await assert.rejects(async () => (await new SourceDriver(failing).start()).run(), /the stream broke/);
});

test("closing does not wait for a generator that waits for ever", async () => {
  const driver = await new SourceDriver(new AsyncIterableSource<number>(async function* () { yield 1; await new Promise(() => {}); })).start();
  while (driver.records.length === 0) await driver.step();
  await driver.close();
});

test("socket lines survive being cut anywhere, and the connection is made again", async () => {
  const net = new ManualNet();
  const driver = await new SourceDriver(new SocketTextSource("localhost", 9999, { maxRetries: 1, retryDelay: 10 }), 1, { net }).start();
  for (let i = 0; i < 3; i++) await driver.step();
  for (const byte of new TextEncoder().encode("first\r\nzwéite 😀\nrest")) net.connections[0]!.onData!(new Uint8Array([byte]));
  net.connections[0]!.onClose!(undefined);
  for (let i = 0; i < 3; i++) await driver.step();
  assert.deepEqual(driver.records, ["first", "zwéite 😀", "rest"]);
  driver.clock.advance();
  await driver.step();
  assert.equal(net.connections.length, 2);
  net.connections[1]!.onClose!(undefined);
  await driver.run();
  assert.ok(driver.ended);
  const refused = new ManualNet();
  refused.refuse = true;
  await assert.rejects(async () => (await new SourceDriver(new SocketTextSource("localhost", 9999), 1, { net: refused }).start()).run(), { code: "SOCKET_FAILED", message: /localhost:9999 failed: refused/ });
  await assert.rejects(async () => (await new SourceDriver(new SocketTextSource("localhost", 9999)).start()).run(), { code: "NET_UNAVAILABLE" });
  assert.throws(() => new SocketTextSource("localhost", 0), { code: "SOCKET_ADDRESS_INVALID" });
});

test("hybrid sources read one after the other and are restored at any point", async () => {
  const make = (): HybridSource<number> =>
    HybridSource.builder(new NumberSequenceSource(0, 1499))
      .addSource((position: number) => new NumberSequenceSource(position, position + 2499), { boundedness: "bounded", position: () => 1500 })
      .addSource(new DataGeneratorSource((i) => 4000 + i, 1000))
      .build();
  for (const parallelism of [1, 2, 3]) {
    const { straight, restored } = await everyRestore(make, parallelism);
    assert.deepEqual(sorted(straight), upTo(5000), `parallelism ${parallelism}`);
    for (const [i, run] of restored.entries()) assert.deepEqual(sorted(run), upTo(5000), `parallelism ${parallelism}, restored after ${i} steps`);
  }
  const single = await (await new SourceDriver(make()).start()).run();
  assert.deepEqual(single, upTo(5000));
});

test("only the last source of a hybrid may be unbounded", () => {
  const endless = new DataGeneratorSource((i) => i, Number.POSITIVE_INFINITY);
  assert.throws(() => HybridSource.builder(endless).addSource(new NumberSequenceSource(0, 1)).build(), { code: "HYBRID_UNBOUNDED" });
  assert.equal(HybridSource.builder(new NumberSequenceSource(0, 1)).addSource(endless).build().boundedness, "continuous-unbounded");
});
