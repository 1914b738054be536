import assert from "node:assert/strict";
import { test } from "node:test";
import { simulatedChannel } from "../src/index.js";
import { emptyWorld } from "./world.js";

test("events happen in order of time, those of one instant in the order they were scheduled", async () => {
  const { simulation } = emptyWorld(1);
  const happened: string[] = [];
  for (const [delay, name] of [[30, "c"], [10, "a"], [30, "d"], [20, "b"]] as const) simulation.schedule(delay, () => happened.push(name));
  simulation.schedule(15, () => happened.push("never")).cancel();
  assert.equal(await simulation.run(() => false), false);
  assert.deepEqual(happened, ["a", "b", "c", "d"]);
  assert.equal(simulation.nowUs, 30);
});

test("what an event sets off in promises runs before the next event", async () => {
  const { simulation } = emptyWorld(1);
  const happened: string[] = [];
  simulation.schedule(1, () => void Promise.resolve().then(() => Promise.resolve()).then(() => happened.push("promise")));
  simulation.schedule(1, () => happened.push("event"));
  await simulation.run(() => false);
  assert.deepEqual(happened, ["promise", "event"]);
});

test("a clock may be set off and run fast, and its monotonic readings never go back", async () => {
  const { simulation, process } = emptyWorld(2);
  const skewed = process("a");
  const { clock } = skewed.env;
  const before = clock.nowMs();
  skewed.skew(-5000, 2);
  const monotonic = clock.monotonicMs();
  let fired = 0;
  clock.setTimer(100, () => (fired = simulation.nowMs));
  await simulation.run(() => fired > 0);
  assert.ok(clock.nowMs() < before);
  assert.ok(fired >= 50 && fired < 52, String(fired));
  assert.ok(clock.monotonicMs() - monotonic >= 100);
});

test("a thread dies with its process or alone; neither hears its timers any more", async () => {
  const { simulation, process } = emptyWorld(3);
  const parent = process("parent");
  const [one, two] = [parent.thread("one"), parent.thread("two")];
  const fired: string[] = [];
  for (const each of [parent, one, two]) each.env.clock.setTimer(10, () => fired.push(each.name));
  one.kill("killed");
  await simulation.run(() => false, 20);
  assert.deepEqual(fired.sort(), ["parent", "parent/two"]);
  parent.kill("killed");
  assert.equal(two.alive, false);
});

test("a channel clones messages, takes transferred buffers away, and wakes its reader once until it has read", async () => {
  const { simulation, process } = emptyWorld(4);
  const [a, b] = simulatedChannel(process("a"), process("b"));
  let wakes = 0;
  b.onWake = () => wakes++;
  const buffer = new ArrayBuffer(8);
  const message = { list: [1], buffer };
  a.post(message, [buffer]);
  message.list.push(2);
  a.post({ second: true });
  await simulation.run(() => false, 10);
  assert.equal(buffer.byteLength, 0);
  assert.equal(wakes, 1);
  assert.deepEqual((b.receive() as { list: number[] }).list, [1]);
  assert.deepEqual(b.receive(), { second: true });
  assert.equal(b.receive(), undefined);
});

test("uncaught errors of processes are kept, and the world goes on", async () => {
  const { simulation } = emptyWorld(5);
  simulation.schedule(1, () => {
    throw new Error("nobody catches this");
  });
  let later = false;
  simulation.schedule(2, () => (later = true));
  await simulation.run(() => false);
  assert.equal(later, true);
  assert.equal(simulation.uncaught.length, 1);
});
