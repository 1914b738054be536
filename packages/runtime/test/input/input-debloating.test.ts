import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordBatch } from "@millrace/core";
import { InputChannel } from "../../src/exchange/input-channel.js";
import { MOST_BUFFER_BYTES } from "../../src/exchange/output-channel.js";
import { InputDebloating } from "../../src/input/input-debloating.js";
import { TestClock } from "../support/test-clock.js";

const settings = { targetMs: 1000, periodMs: 200, samples: 1, thresholdPercent: 25, smallestBytes: 100 };

interface Fixture {
  readonly clock: TestClock;
  readonly channels: readonly (InputChannel & { readonly told: number[] })[];
  readonly debloating: InputDebloating;
  readonly wakes: { count: number };
}

/** A task that is debloated, whose records have ten bytes each; what its senders are told is in `told`. */
function fixture(backlogs: readonly number[], heldChannels: readonly number[] = [], unprocessedBytes: () => number = () => 0): Fixture {
  const clock = new TestClock(0);
  const channels = backlogs.map((backlog, id) => {
    const told: number[] = [];
    const channel = Object.assign(new InputChannel(id), { told });
    channel.bytesPerRecord = 10;
    channel.credit = { batchConsumed: () => undefined, announceBufferSize: (bytes) => void told.push(bytes), backlog };
    if (heldChannels.includes(id)) channel.held = { memory: undefined as never, openSpillFile: undefined as never, wake: undefined as never };
    return channel;
  });
  const wakes = { count: 0 };
  const debloating = new InputDebloating(settings, channels, clock, { unprocessedBytes, wake: () => void wakes.count++ });
  return { clock, channels, debloating, wakes };
}

function batch(records: number): RecordBatch {
  return RecordBatch.withoutTimestamps(Array.from({ length: records }, (_, i) => i));
}

/** A batch arrives and is taken at once. */
function take(channel: InputChannel, records: number): void {
  channel.receive(batch(records));
  assert.ok(channel.poll() instanceof RecordBatch);
}

test("tells all open channels the size at which what waits here and at the senders takes the target time", async () => {
  const { clock, channels, debloating, wakes } = fixture([6, 2, 0], [2]);
  const [first, second, blocking] = channels as [Fixture["channels"][0], Fixture["channels"][0], Fixture["channels"][0]];
  debloating.processing(clock.monotonicMs());
  take(first, 100);
  second.receive(batch(1));
  second.receive(batch(1));
  await clock.runFor(201);
  // 1000 bytes in 200 ms are 5000 a second, for ten buffers.
  assert.deepEqual([first.told, second.told, blocking.told], [[500], [500], []]);
  assert.equal(wakes.count, 1);
  assert.equal(debloating.bufferSize, 500);
  assert.equal(debloating.estimatedTimeMs, 1000);
  second.closed = true;
  take(first, 2);
  await clock.runFor(200);
  assert.deepEqual([first.told, second.told], [[500, 100], [500]], "no less than the smallest size, and nothing to who has ended");
  take(first, 10_000);
  await clock.runFor(200);
  assert.deepEqual(first.told, [500, 100, 200], "not more than twice as much at once");
  for (let i = 0; i < 12; i++) {
    take(first, 100_000);
    await clock.runFor(200);
  }
  assert.equal(first.told.at(-1), MOST_BUFFER_BYTES, "the largest size is no limit");
});

test("a task that idles, or is not told to run, is left alone", async () => {
  const { clock, channels, debloating } = fixture([0]);
  debloating.arrived();
  await clock.runFor(500);
  debloating.processing(clock.monotonicMs());
  take(channels[0]!, 1000);
  await clock.runFor(10);
  debloating.waiting();
  await clock.runFor(2000);
  assert.deepEqual(channels[0]!.told, []);
  assert.equal(debloating.bufferSize, 10_000, "as large as what comes");
  debloating.arrived();
  await clock.runFor(400);
  assert.ok(channels[0]!.told.length > 0, "what has come waits, and nothing is taken of it");
});

test("of the batch that is being processed counts what was processed", async () => {
  let unprocessed = 0;
  const { clock, channels, debloating } = fixture([7], [], () => unprocessed);
  debloating.processing(clock.monotonicMs());
  take(channels[0]!, 1000);
  for (unprocessed = 8000; unprocessed >= 0; unprocessed -= 2000) await clock.runFor(200);
  // 2000 bytes in each 200 ms, seven buffers.
  assert.equal(debloating.bufferSize, 1428);
});

test("records that a checkpoint brought back are no measure", async () => {
  const { clock, channels, debloating } = fixture([3]);
  const [channel] = channels as [Fixture["channels"][0]];
  channel.recover([batch(50)]);
  debloating.processing(clock.monotonicMs());
  await clock.runFor(1000);
  channel.release(channel.poll() as RecordBatch);
  assert.deepEqual(channel.told, []);
  take(channel, 100);
  await clock.runFor(200);
  assert.equal(channel.told.length, 0);
  assert.equal(debloating.bufferSize, 1000, "5000 bytes a second for three buffers are more than the largest that came");
});

test("stopped, it measures no more and leaves no timer", async () => {
  const { clock, channels, debloating } = fixture([9]);
  debloating.processing(clock.monotonicMs());
  take(channels[0]!, 1000);
  debloating.stop();
  assert.equal(clock.pendingTimers, 0);
  await clock.runFor(1000);
  assert.deepEqual(channels[0]!.told, []);
});
