import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordBatch } from "@millrace/core";
import { MOST_BUFFER_BYTES } from "../../src/exchange/output-channel.js";
import { SlotChannels } from "../../src/slot/slot-channels.js";

test("a slot tells how many buffers may be on the way to it, and how many wait", () => {
  const channels = new SlotChannels(4, { roundTrip: false, checkEveryRecord: false, debloated: false }, () => undefined);
  assert.deepEqual(channels.usage(), { segments: 0, usedSegments: 0, totalBytes: 0, usedBytes: 0 });
  const input = channels.input(1, 0, 0);
  const pressure = { block: () => undefined, free: () => undefined, flushable: () => undefined };
  const output = channels.output(1, 0, 0, false, pressure as never);
  output.send(RecordBatch.withoutTimestamps([1, 2]));
  output.send(RecordBatch.withoutTimestamps([3]));
  assert.deepEqual(channels.usage(), { segments: 4, usedSegments: 2, totalBytes: 4 * MOST_BUFFER_BYTES, usedBytes: 0 });
  input.closed = true;
  assert.equal(channels.usage().segments, 0);
});
