import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchDecoder, BatchEncoder, RecordBatch } from "@millrace/core";
import { InFlightData } from "../../src/checkpoint/in-flight-data.js";
import { Barrier, EndOfChannel } from "../../src/exchange/channel-element.js";
import { ChannelRecorder } from "../../src/exchange/channel-recorder.js";
import { InputChannel } from "../../src/exchange/input-channel.js";
import { OutputChannel, OutputPressure } from "../../src/exchange/output-channel.js";
import { PeerConnection } from "../../src/exchange/peer-connection.js";
import { RemoteTransport } from "../../src/exchange/remote-transport.js";

const place = { operatorId: "op", edgeId: "edge", from: 0, to: 1, side: "output" as const };
const encoder = new BatchEncoder();

function batch(...values: number[]): RecordBatch {
  return RecordBatch.withoutTimestamps(values);
}

function recorded(data: InFlightData): unknown[] {
  const decoder = new BatchDecoder();
  return [...data.parts].flatMap(({ batches }) => batches.flatMap((bytes) => decoder.decode(bytes).values));
}

/** A sender with two credits, and what it has posted: values of buffers, and barriers. */
function sender() {
  const posted: unknown[] = [];
  const decoder = new BatchDecoder();
  const port = {
    post: (message: { kind: string; buffer?: ArrayBuffer; checkpointId?: number; options?: object }) => {
      if (message.kind === "buffer") posted.push(...decoder.decode(message.buffer!).values);
      else posted.push(`barrier ${message.checkpointId} ${JSON.stringify(message.options)}`);
    },
    receive: () => undefined, onWake: undefined, close: () => undefined,
  };
  const connection = new PeerConnection(port as never, () => undefined, () => undefined);
  const transport = new RemoteTransport(7, connection, new BatchEncoder(), 2, new OutputPressure());
  const channel = new OutputChannel(transport, 1, false, place);
  return { posted, transport, channel };
}

test("an unaligned barrier leaves before the buffers that wait for credit, which are recorded and come after it", () => {
  const { posted, transport, channel } = sender();
  for (let i = 0; i < 5; i++) {
    channel.append(i, 0);
    channel.flush();
  }
  channel.append(5, 0);
  const data = new InFlightData();
  channel.sendBarrier(new Barrier(3, 0, { unalignedAfterMs: 0 }), data);
  data.seal();
  assert.equal(data.complete, true);
  assert.deepEqual(posted, [0, 1, 'barrier 3 {"unalignedAfterMs":0}']);
  assert.deepEqual(recorded(data), [2, 3, 4, 5]);
  transport.addCredits(9);
  assert.deepEqual(posted.slice(3), [2, 3, 4, 5]);
});

test("a barrier with a timeout that waits for credit overtakes once it is told to", () => {
  const { posted, transport, channel } = sender();
  const send = (value: number): void => {
    channel.append(value, 0);
    channel.flush();
  };
  for (const value of [0, 1, 2, 3]) send(value);
  const data = new InFlightData();
  const barrier = new Barrier(3, 0, { unalignedAfterMs: 100 });
  channel.sendBarrier(barrier, data);
  data.seal();
  send(4);
  assert.equal(data.complete, false);
  channel.overtake(barrier.overtaking());
  assert.equal(data.complete, true);
  assert.equal(data.unaligned, true);
  assert.deepEqual(recorded(data), [2, 3]);
  transport.addCredits(9);
  assert.deepEqual(posted, [0, 1, 'barrier 3 {"unalignedAfterMs":0}', 2, 3, 4]);
});

test("a barrier with a timeout that got credit in time takes nothing along, and cannot overtake any more", () => {
  const { posted, transport, channel } = sender();
  for (const value of [0, 1, 2]) {
    channel.append(value, 0);
    channel.flush();
  }
  const data = new InFlightData();
  const barrier = new Barrier(3, 0, { unalignedAfterMs: 100 });
  channel.sendBarrier(barrier, data);
  data.seal();
  transport.addCredits(1);
  assert.equal(data.complete, true);
  channel.overtake(barrier.overtaking());
  assert.deepEqual(recorded(data), []);
  assert.deepEqual(posted, [0, 1, 2, 'barrier 3 {"unalignedAfterMs":100}']);
});

/** A receiver of encoded batches, reading now and then. */
function receiver() {
  const channel = new InputChannel(1);
  channel.overtakable = true;
  channel.decoder = new BatchDecoder();
  return channel;
}

test("what waits before the barrier and what comes before it is recorded, whatever is read meanwhile", () => {
  const channel = receiver();
  for (const value of [0, 1, 2]) channel.receive(encoder.encode(batch(value)));
  assert.deepEqual((channel.poll() as RecordBatch).values, [0]);
  const data = new InFlightData();
  channel.record(new ChannelRecorder(4, data, place));
  data.seal();
  channel.receive(encoder.encode(batch(3)));
  assert.deepEqual((channel.poll() as RecordBatch).values, [1]);
  assert.equal(data.complete, false);
  channel.receive(new Barrier(4, 0, { unalignedAfterMs: 0 }));
  assert.equal(data.complete, true);
  channel.receive(encoder.encode(batch(4)));
  assert.deepEqual(recorded(data), [1, 2, 3]);
  assert.deepEqual([channel.poll(), channel.poll(), channel.poll()].map((read) => (read as RecordBatch).values[0]), [2, 3, 4], "the barrier is gone");
});

test("a barrier that is in the queue already ends what is recorded, and so does the end of the channel", () => {
  const channel = receiver();
  channel.receive(batch(0));
  channel.receive(new Barrier(4, 0, { unalignedAfterMs: 50 }));
  channel.receive(batch(1));
  const data = new InFlightData();
  channel.record(new ChannelRecorder(4, data, place));
  const closing = receiver();
  closing.receive(batch(7));
  closing.receive(EndOfChannel.instance);
  closing.record(new ChannelRecorder(4, data, { ...place, from: 1 }));
  data.seal();
  assert.equal(data.complete, true);
  assert.deepEqual(recorded(data), [0, 7]);
  assert.deepEqual((channel.poll() as RecordBatch).values, [0]);
  assert.deepEqual((channel.poll() as RecordBatch).values, [1]);
});

test("restored batches come first, take no credit, and are part of the next unaligned checkpoint", () => {
  const channel = receiver();
  let credits = 0;
  channel.credit = { batchConsumed: () => void credits++, announceBufferSize: () => undefined, backlog: 0 };
  channel.receive(encoder.encode(batch(9)));
  channel.recover([batch(0), batch(1)]);
  let recovered = false;
  channel.onRecovered = () => (recovered = true);
  const first = channel.poll() as RecordBatch;
  assert.deepEqual(first.values, [0]);
  channel.release(first);
  const data = new InFlightData();
  channel.record(new ChannelRecorder(4, data, place));
  assert.deepEqual(recorded(data), [1, 9]);
  assert.equal(recovered, false);
  channel.release(channel.poll() as RecordBatch);
  assert.equal(recovered, true);
  assert.equal(credits, 0);
  assert.deepEqual((channel.poll() as RecordBatch).values, [9]);
  assert.equal(credits, 1);
});

test("a record that cannot be carried makes the checkpoint fail, not the task", () => {
  const channel = receiver();
  channel.receive(RecordBatch.withoutTimestamps([() => 1]));
  const data = new InFlightData();
  channel.record(new ChannelRecorder(4, data, place));
  assert.equal((data.failure as { code: string }).code, "RECORD_NOT_ENCODABLE");
});
