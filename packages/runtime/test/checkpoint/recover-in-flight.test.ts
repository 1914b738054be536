import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchDecoder, BatchEncoder, keyHash, RecordBatch } from "@millrace/core";
import { MemoryFileSystem } from "@millrace/testkit";
import { InFlightData } from "../../src/checkpoint/in-flight-data.js";
import { recoverInFlight } from "../../src/checkpoint/recover-in-flight.js";
import { InputChannel } from "../../src/exchange/input-channel.js";
import type { InFlightHandle } from "../../src/protocol/deployment.js";

const keySelector = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);
const target = { partitioner: { kind: "hash" as const, keySelector }, subtaskIndex: 0, parallelism: 1, maxParallelism: 16 };

function batch(values: unknown[], combined = false): RecordBatch {
  const made = RecordBatch.withoutTimestamps(values);
  made.keyHashes = Int32Array.from(values, (value) => keyHash(keySelector(value)));
  made.combined = combined;
  return made;
}

async function handle(fs: MemoryFileSystem, from: number, side: "input" | "output", batches: readonly RecordBatch[]): Promise<InFlightHandle> {
  const encoded = batches.map((one) => new Uint8Array(new BatchEncoder().encode(one)));
  const path = `/in-flight-${from}-${side}`;
  const writer = await fs.create(path);
  for (const bytes of encoded) await writer.write(bytes);
  await writer.close();
  const lengths = encoded.map(({ byteLength }) => byteLength);
  return { edgeId: "edge", from, to: 0, side, file: { path, offset: 0, length: lengths.reduce((sum, length) => sum + length, 0) }, batches: lengths };
}

function channelsOf(...senders: readonly number[]): InputChannel[] {
  return senders.map((sender) => Object.assign(new InputChannel(sender), { sender, decoder: new BatchDecoder() }));
}

function rest(channel: InputChannel): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let read = channel.poll(); read !== undefined; read = channel.poll()) batches.push(read as RecordBatch);
  return batches;
}

test("what was in the output of a channel comes after what was in its input, and before what is new", async () => {
  const fs = new MemoryFileSystem();
  const handles = [
    await handle(fs, 0, "input", [batch([1]), batch([2, 3])]), await handle(fs, 1, "input", [batch([10])]),
    await handle(fs, 0, "output", [batch([4])]), await handle(fs, 1, "output", [batch([11])]),
  ];
  const channels = channelsOf(0, 1);
  channels[0]!.receive(batch([5]));
  await recoverInFlight(fs, { edgeId: "edge", handles, rescaled: false, keepsWatermarks: true }, target, channels);
  assert.deepEqual(channels.map((channel) => rest(channel).flatMap(({ values }) => values)), [[1, 2, 3, 4, 5], [10, 11]]);
});

for (const rescaled of [false, true]) {
  test(`what senders added up is restored as that, ${rescaled ? "at another parallelism" : "at the same parallelism"}`, async () => {
    const fs = new MemoryFileSystem();
    const handles = [await handle(fs, 0, "input", [batch([["a", { sum: 3 }]], true), batch(["b"])])];
    const [channel] = channelsOf(0) as [InputChannel];
    channel.freezes = true;
    await recoverInFlight(fs, { edgeId: "edge", handles, rescaled, keepsWatermarks: true }, target, [channel]);
    const [added, records] = rest(channel);
    assert.equal(added!.combined, true);
    // Accumulators go on changing.
    assert.equal(Object.isFrozen((added!.values[0] as [string, object])[1]), false);
    assert.equal(records!.combined, false);
  });
}

test("the rest of a batch that senders added up is recorded as that", () => {
  const data = new InFlightData();
  const place = { operatorId: "op", edgeId: "edge", from: 0, to: 0, side: "input" as const };
  data.add(place, batch([["a", 1], ["b", 2]], true), 1);
  const [part] = [...data.parts];
  const read = new BatchDecoder().decode(part!.batches[0]!);
  assert.equal(read.combined, true);
  assert.deepEqual(read.values.slice(0, read.count), [["b", 2]]);
});
