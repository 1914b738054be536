import assert from "node:assert/strict";
import { test } from "node:test";
import { Barrier } from "../../src/exchange/channel-element.js";
import { InputChannel } from "../../src/exchange/input-channel.js";
import { BarrierAligner } from "../../src/input/barrier-aligner.js";

/** A clock that stands where it is put. */
class Hands {
  ms = 0;
  timers: { readonly atMs: number; readonly action: () => void }[] = [];
  readonly nowMs = (): number => this.ms;
  readonly monotonicMs = (): number => this.ms;
  setTimer(delayMs: number, action: () => void) {
    const timer = { atMs: this.ms + delayMs, action };
    this.timers.push(timer);
    return { cancel: () => void (this.timers = this.timers.filter((other) => other !== timer)) };
  }
  advance(ms: number): void {
    this.ms += ms;
    const due = this.timers.filter(({ atMs }) => atMs <= this.ms);
    this.timers = this.timers.filter(({ atMs }) => atMs > this.ms);
    for (const { action } of due) action();
  }
}

function setup(count: number): { aligner: BarrierAligner; channels: InputChannel[]; log: string[]; hands: Hands } {
  const channels = Array.from({ length: count }, (_, i) => new InputChannel(i));
  const log: string[] = [];
  const hands = new Hands();
  for (const channel of channels) channel.overtakable = true;
  const aligner = new BarrierAligner(channels, {
    aligned: (barrier) => log.push(`aligned ${barrier.checkpointId}`),
    overtaking: (barrier) => log.push(`overtaking ${barrier.checkpointId}`),
    abandoned: (checkpointId) => log.push(`abandoned ${checkpointId}`),
    unblocked: (channel) => log.push(`unblocked ${channel.id}`),
  }, hands);
  return { aligner, channels, log, hands };
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

const unaligned = (checkpointId: number): Barrier => new Barrier(checkpointId, 0, { unalignedAfterMs: 0 });
const after = (checkpointId: number, unalignedAfterMs: number): Barrier => new Barrier(checkpointId, 0, { unalignedAfterMs });

test("an unaligned barrier overtakes when it arrives, and the channels without one are told at the instant", () => {
  const { aligner, channels, log } = setup(3);
  channels[2]!.closed = true;
  channels[0]!.receive(unaligned(1));
  assert.deepEqual(log, ["overtaking 1"]);
  // In the queue they are, until the snapshot is taken.
  assert.deepEqual(aligner.overtaken(1), [channels[0], channels[1]]);
  assert.equal(aligner.overtaken(1), undefined);
  channels[1]!.receive(unaligned(1));
  assert.deepEqual(log, ["overtaking 1"]);
});

test("an unaligned barrier ends an alignment, and frees what it had stopped at the instant", () => {
  const { aligner, channels, log } = setup(2);
  aligner.barrier(channels[0]!, after(1, 100));
  assert.equal(channels[0]!.blockedByBarrier, true);
  channels[1]!.receive(unaligned(1));
  assert.deepEqual(log, ["overtaking 1"]);
  assert.deepEqual(aligner.overtaken(1), [channels[1]]);
  assert.equal(channels[0]!.blockedByBarrier, false);
});

test("a barrier with a timeout overtakes when it has passed since the checkpoint began, not since it came", () => {
  const { aligner, channels, log, hands } = setup(2);
  hands.advance(60);
  channels[0]!.receive(after(1, 100));
  hands.advance(39);
  assert.deepEqual(log, []);
  hands.advance(1);
  assert.deepEqual(log, ["overtaking 1"]);
  assert.deepEqual(aligner.overtaken(1), channels);
});

test("a barrier that is aligned in time does not overtake, nor does one that waits where records must not be overtaken", () => {
  const { aligner, channels, log, hands } = setup(2);
  for (const channel of channels) {
    channel.receive(after(1, 100));
    aligner.barrier(channel, channel.poll() as Barrier);
  }
  hands.advance(1000);
  assert.deepEqual(log, ["unblocked 0", "unblocked 1", "aligned 1"]);
  for (const channel of channels) channel.overtakable = false;
  channels[0]!.receive(unaligned(2));
  assert.equal(log.length, 3);
});

test("a checkpoint that is cancelled before its snapshot is not taken, and a newer one takes over", () => {
  const { aligner, channels, log } = setup(2);
  channels[0]!.receive(unaligned(1));
  aligner.cancel(1);
  assert.equal(aligner.overtaken(1), undefined);
  channels[0]!.receive(unaligned(2));
  channels[1]!.receive(unaligned(3));
  assert.deepEqual(log, ["overtaking 1", "abandoned 1", "overtaking 2", "abandoned 2", "overtaking 3"]);
  assert.equal(aligner.overtaken(2), undefined);
  assert.deepEqual(aligner.overtaken(3), channels);
});
