import assert from "node:assert/strict";
import { test } from "node:test";
import { Barrier } from "../../src/exchange/channel-element.js";
import { InputChannel } from "../../src/exchange/input-channel.js";
import { BarrierAligner } from "../../src/input/barrier-aligner.js";

function setup(count: number): { aligner: BarrierAligner; channels: InputChannel[]; log: string[] } {
  const channels = Array.from({ length: count }, (_, i) => new InputChannel(i));
  const log: string[] = [];
  const aligner = new BarrierAligner(channels, {
    aligned: (barrier) => log.push(`aligned ${barrier.checkpointId}`),
    overtaking: (barrier) => log.push(`overtaking ${barrier.checkpointId}`),
    abandoned: (checkpointId) => log.push(`abandoned ${checkpointId}`),
    unblocked: (channel) => log.push(`unblocked ${channel.id}`),
  }, { monotonicMs: () => 0, nowMs: () => 0, setTimer: () => ({ cancel: () => undefined }) });
  return { aligner, channels, log };
}

test("blocks a channel until the others have delivered the barrier", () => {
  const { aligner, channels, log } = setup(2);
  aligner.barrier(channels[0]!, new Barrier(1, 0));
  assert.equal(channels[0]!.blockedByBarrier, true);
  assert.deepEqual(log, []);
  aligner.barrier(channels[1]!, new Barrier(1, 0));
  assert.deepEqual(log, ["unblocked 0", "unblocked 1", "aligned 1"]);
  assert.equal(channels[0]!.blockedByBarrier, false);
});

test("a closed channel counts as aligned, also when it closes during the alignment", () => {
  const { aligner, channels, log } = setup(2);
  aligner.barrier(channels[0]!, new Barrier(1, 0));
  channels[1]!.closed = true;
  aligner.channelClosed();
  assert.deepEqual(log, ["unblocked 0", "aligned 1"]);
  aligner.barrier(channels[0]!, new Barrier(2, 0));
  assert.equal(log.at(-1), "aligned 2");
});

test("a newer barrier overtakes; the late one of the old checkpoint is ignored", () => {
  const { aligner, channels, log } = setup(2);
  aligner.barrier(channels[0]!, new Barrier(1, 0));
  aligner.barrier(channels[1]!, new Barrier(2, 0));
  assert.deepEqual(log, ["unblocked 0", "abandoned 1"]);
  aligner.barrier(channels[0]!, new Barrier(2, 0));
  assert.equal(log.at(-1), "aligned 2");
  aligner.barrier(channels[1]!, new Barrier(1, 0));
  assert.equal(aligner.aligning, false);
});

test("a cancelled checkpoint frees its channels, and its later barriers are ignored", () => {
  const { aligner, channels, log } = setup(2);
  aligner.barrier(channels[0]!, new Barrier(7, 0));
  aligner.cancel(7);
  assert.deepEqual(log, ["unblocked 0", "abandoned 7"]);
  aligner.barrier(channels[1]!, new Barrier(7, 0));
  assert.equal(channels[1]!.blockedByBarrier, false);
  aligner.cancel(9);
  aligner.barrier(channels[1]!, new Barrier(9, 0));
  assert.equal(aligner.aligning, false);
});

test("a triggered checkpoint waits for channels that are still open", () => {
  const { aligner, channels, log } = setup(1);
  aligner.trigger(new Barrier(3, 0));
  assert.deepEqual(log, []);
  channels[0]!.closed = true;
  aligner.channelClosed();
  assert.deepEqual(log, ["aligned 3"]);
});
