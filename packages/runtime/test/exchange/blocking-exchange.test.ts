import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchDecoder, BatchEncoder, RecordBatch, type FileSystem } from "@millrace/core";
import { MemoryFileSystem } from "@millrace/testkit";
import fc from "fast-check";
import { EndOfChannel, EndOfInput } from "../../src/exchange/channel-element.js";
import { HeldMemory } from "../../src/exchange/held-memory.js";
import { InputChannel } from "../../src/exchange/input-channel.js";
import { SpillFile } from "../../src/exchange/spill-file.js";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const encoder = new BatchEncoder();

function encoded(values: readonly string[]): ArrayBuffer {
  return encoder.encode(RecordBatch.withoutTimestamps([...values]));
}

interface Held {
  readonly channel: InputChannel;
  readonly failures: unknown[];
  readonly credits: { returned: number };
}

function heldChannel(fs: FileSystem, memory: HeldMemory, path = "/tmp/exchange"): Held {
  const channel = new InputChannel(1);
  const failures: unknown[] = [];
  const credits = { returned: 0 };
  channel.decoder = new BatchDecoder();
  channel.credit = { batchConsumed: () => void credits.returned++, announceBufferSize: () => undefined, backlog: 0 };
  channel.held = { memory, openSpillFile: () => new SpillFile(fs, path, (error) => failures.push(error)), wake: () => undefined };
  return { channel, failures, credits };
}

/** Reads a channel to its end as a task does: what is readable now, then whatever `onReadable` announces. */
async function readAll(channel: InputChannel): Promise<string[]> {
  const read: string[] = [];
  let announced = channel.readable;
  channel.onReadable = () => {
    announced = true;
  };
  for (;;) {
    if (!announced) await settled();
    announced = false;
    for (let element = channel.poll(); element !== undefined; element = channel.poll()) {
      if (element instanceof EndOfChannel) return read;
      if (element instanceof RecordBatch) read.push(...(element.values.slice(0, element.count) as string[]));
    }
    announced = channel.readable;
  }
}

test("a blocking exchange gives back everything in order, whatever fits into memory", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { minLength: 1, maxLength: 30 }), { maxLength: 25 }), fc.integer({ min: 0, max: 4000 }), async (batches, limit) => {
      const fs = new MemoryFileSystem();
      const { channel, failures, credits } = heldChannel(fs, new HeldMemory(limit));
      for (const batch of batches) {
        channel.receive(encoded(batch));
        if (batch.length % 3 === 0) await settled();
      }
      assert.equal(channel.poll(), undefined, "nothing is readable before the end of input");
      channel.receive(EndOfInput.instance);
      channel.receive(EndOfChannel.instance);
      assert.deepEqual(await readAll(channel), batches.flat());
      assert.equal(credits.returned, batches.length);
      assert.deepEqual(failures, []);
      channel.discard();
      await settled();
      assert.deepEqual(fs.paths, []);
    }),
    { numRuns: 60 },
  );
});

test("what goes to disk is credited when it is there", async () => {
  const { channel, credits } = heldChannel(new MemoryFileSystem(), new HeldMemory(0));
  channel.receive(encoded(["a"]));
  assert.deepEqual([credits.returned, channel.unstored], [0, 1]);
  await settled();
  assert.deepEqual([credits.returned, channel.unstored], [1, 0]);
});

test("channels share the memory of their slot and give it back", async () => {
  const fs = new MemoryFileSystem();
  const memory = new HeldMemory(encoded(["same"]).byteLength);
  const first = heldChannel(fs, memory, "/tmp/1");
  const second = heldChannel(fs, memory, "/tmp/2");
  first.channel.receive(encoded(["same"]));
  second.channel.receive(encoded(["same"]));
  await settled();
  assert.deepEqual(fs.paths, ["/tmp/2"]);
  first.channel.discard();
  second.channel.receive(encoded(["more"]));
  await settled();
  second.channel.receive(EndOfInput.instance);
  second.channel.receive(EndOfChannel.instance);
  assert.deepEqual(await readAll(second.channel), ["same", "more"]);
});

test("a full disk is reported, and nothing is credited for what it lost", async () => {
  class FullDisk extends MemoryFileSystem {
    override async create(): Promise<never> {
      throw new Error("no space left");
    }
  }
  const { channel, failures, credits } = heldChannel(new FullDisk(), new HeldMemory(0));
  channel.receive(encoded(["a"]));
  await settled();
  assert.deepEqual([failures.map((error) => (error as Error).message), credits.returned], [["no space left"], 0]);
  channel.discard();
});
