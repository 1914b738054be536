import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordBatch } from "@millrace/core";
import { OutputChannel, type ChannelTransport } from "../../src/exchange/output-channel.js";

function sentBatches(): { readonly sent: RecordBatch[]; readonly transport: ChannelTransport } {
  const sent: RecordBatch[] = [];
  const transport: ChannelTransport = { send: (batch) => void sent.push(batch), sendEvent: () => undefined, overtake: () => [], watch: () => false, writable: true, flushWanted: false, sentBytes: 0, bufferSize: 1 << 18 };
  return { sent, transport };
}

test("delivers every watermark, also those with no record between them", () => {
  const { sent, transport } = sentBatches();
  const channel = new OutputChannel(transport, 64, false);
  channel.append("x", 1);
  for (const watermark of [10, 20, 30]) channel.appendMark("watermark", watermark);
  channel.flush();
  assert.deepEqual(sent.map((batch) => batch.marks), [[10, 20, 30].map((timestampMs) => ({ at: 1, kind: "watermark", timestampMs }))]);
});

test("sends a buffer that is full of marks", () => {
  const { sent, transport } = sentBatches();
  const channel = new OutputChannel(transport, 4, false);
  for (let i = 1; i <= 9; i++) channel.appendMark("watermark", i);
  assert.deepEqual(sent.map((batch) => [batch.count, batch.marks?.length]), [[0, 4], [0, 4]]);
});

test("of records so large that a buffer would be larger than 256 KiB, fewer go into one, and more again when they are small", () => {
  const counts: number[] = [];
  let recordBytes = 32_768;
  const transport = {
    sendEvent: () => undefined, overtake: () => [], watch: () => false, writable: true, flushWanted: false, sentBytes: 0, bufferSize: 1 << 18,
    send(batch: RecordBatch): undefined {
      counts.push(batch.count);
      this.sentBytes = batch.count * recordBytes;
    },
  };
  const channel = new OutputChannel(transport, 64, false);
  for (let i = 0; i < 80; i++) channel.append(i, i);
  assert.deepEqual(counts, [64, 8]);
  recordBytes = 10;
  for (let i = 0; i < 8 + 16 + 32 + 64; i++) channel.append(i, i);
  assert.deepEqual(counts, [64, 8, 8, 16, 32, 64]);
  recordBytes = 1_000_000;
  for (let i = 0; i < 100; i++) channel.append(i, i);
  assert.equal(counts.at(-1), 1, "a record is never too large");
});

test("buffers become as large as the receiver says, from the one after that under construction, and never less than a record", () => {
  const counts: number[] = [];
  const transport = {
    sendEvent: () => undefined, overtake: () => [], watch: () => false, writable: true, flushWanted: false, sentBytes: 0, bufferSize: 1 << 18,
    send(batch: RecordBatch): undefined {
      counts.push(batch.count);
      this.sentBytes = batch.count * 100;
    },
  };
  const channel = new OutputChannel(transport, 64, true);
  const sent: number[] = [];
  const append = (records: number): void => {
    for (let i = 0; i < records; i++) channel.appendHashed(sent.push(i), i, 0);
  };
  append(70);
  transport.bufferSize = 1000;
  append(64 + 10 + 10);
  assert.deepEqual(counts, [64, 64, 10, 10]);
  transport.bufferSize = 30;
  append(12);
  assert.deepEqual(counts, [64, 64, 10, 10, 10, 1, 1, 1, 1, 1, 1, 1]);
  transport.bufferSize = 1 << 18;
  append(200);
  assert.deepEqual(counts.slice(12), [1, 2, 4, 8, 16, 32, 64, 64]);
  channel.flush();
  assert.equal(counts.reduce((sum, count) => sum + count), sent.length);
});
