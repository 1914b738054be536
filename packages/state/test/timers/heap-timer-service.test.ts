import { MAX_WATERMARK, MIN_WATERMARK, ValueStateDescriptor, type Output, type TimerHandler } from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapKeyedStateBackend, type HeapTimerService } from "../../src/index.js";
import { code } from "../error-code.js";
import { store } from "../keyed-model.js";
import { ManualClock } from "../manual-clock.js";

const options = { maxParallelism: 8, keyGroupRange: [0, 7] as const, clock: new ManualClock() };
const output = {} as Output<unknown>;

function setUp(backend = new HeapKeyedStateBackend<string>(options)): {
  backend: HeapKeyedStateBackend<string>;
  service: HeapTimerService;
  fired: string[];
  also: { run: (namespace: string, time: number) => void };
} {
  const fired: string[] = [];
  const also = { run: (_namespace: string, _time: number): void => undefined };
  const handler: TimerHandler = {
    onEventTime: (time, namespace, out) => {
      assert.equal(out, output);
      fired.push(`${backend.currentKey}@${time}${namespace}`);
      also.run(namespace, time);
    },
    onProcessingTime: (time, namespace) => void fired.push(`p:${backend.currentKey}@${time}${namespace}`),
  };
  return { backend, service: backend.timerService("t", handler, output), fired, also };
}

const never = (): boolean => false;

test("timers fire once, by time, then in the order they were registered", () => {
  const { backend, service, fired } = setUp();
  for (const [key, time] of [["b", 20], ["a", 10], ["c", 20], ["a", 20], ["b", 20], ["d", 30]] as const) {
    backend.setCurrentKey(key);
    service.registerEventTimeTimer("", time);
  }
  assert.equal(service.currentWatermark, MIN_WATERMARK);
  assert.equal(service.eventTimeTimerCount, 5);
  assert.equal(service.advanceWatermark(20, never), true);
  assert.equal(service.currentWatermark, 20);
  assert.deepEqual(fired, ["a@10", "b@20", "c@20", "a@20"]);
  service.advanceWatermark(MAX_WATERMARK, never);
  assert.equal(fired.at(-1), "d@30");
  assert.equal(backend.keyCount, 0);
});

test("a timer that a handler sets at or before the watermark fires in the same advance", () => {
  const { backend, service, fired, also } = setUp();
  also.run = (_, time) => {
    if (time < 13) service.registerEventTimeTimer("", time + 1);
    if (time === 13) service.registerEventTimeTimer("", 50);
  };
  backend.setCurrentKey("k");
  service.registerEventTimeTimer("", 10);
  service.advanceWatermark(20, never);
  assert.deepEqual(fired, ["k@10", "k@11", "k@12", "k@13"]);
});

test("a handler may delete a timer that would fire next, of another domain or namespace too", () => {
  const { backend, service, fired, also } = setUp();
  also.run = () => {
    service.deleteEventTimeTimer("x", 11);
    service.deleteProcessingTimeTimer("", 11);
  };
  backend.setCurrentKey("k");
  service.registerEventTimeTimer("", 10);
  service.registerEventTimeTimer("x", 11);
  service.registerEventTimeTimer("y", 11);
  service.registerProcessingTimeTimer("", 11);
  service.deleteEventTimeTimer("z", 11);
  service.advanceWatermark(20, never);
  service.advanceProcessingTime(20, never);
  assert.deepEqual(fired, ["k@10", "k@11y"]);
});

test("an advance can be interrupted after every timer and goes on", () => {
  const { backend, service, fired } = setUp();
  for (const time of [1, 2, 3]) {
    backend.setCurrentKey(`k${time}`);
    service.registerEventTimeTimer("", time);
    service.registerProcessingTimeTimer("", time);
  }
  const answers: boolean[] = [];
  do answers.push(service.advanceWatermark(3, () => true));
  while (!answers.at(-1));
  assert.deepEqual(answers, [false, false, true]);
  assert.equal(service.nextProcessingTime(), 1);
  assert.equal(service.advanceProcessingTime(2, () => true), false);
  assert.equal(service.nextProcessingTime(), 2);
  assert.equal(service.advanceProcessingTime(2, () => true), true);
  assert.equal(service.nextProcessingTime(), 3);
  assert.deepEqual(fired, ["k1@1", "k2@2", "k3@3", "p:k1@1", "p:k2@2"]);
});

test("timers keep their key though it has no state, and fire with the key's state at hand", () => {
  const { backend, service, also } = setUp();
  const state = backend.getState(new ValueStateDescriptor<number>("v"));
  const seen: unknown[] = [];
  also.run = () => {
    seen.push(state.value());
    state.clear();
  };
  backend.setCurrentKey("a");
  service.registerEventTimeTimer("", 1);
  backend.setCurrentKey("b");
  state.update(2);
  service.registerEventTimeTimer("", 2);
  assert.equal(backend.keyCount, 2);
  service.advanceWatermark(5, never);
  assert.deepEqual(seen, [undefined, 2]);
  assert.equal(backend.keyCount, 0);
});

test("forEachEventTimeTimer visits with the timer's key and gives the caller's key back", () => {
  const { backend, service } = setUp();
  for (const key of ["a", "b"]) {
    backend.setCurrentKey(key);
    service.registerEventTimeTimer("n", 5);
    service.registerEventTimeTimer("", 6);
  }
  const seen: string[] = [];
  service.forEachEventTimeTimer((namespace, time) => {
    seen.push(`${backend.currentKey}@${time}${namespace}`);
    if (time === 5) service.deleteEventTimeTimer("n", 5);
    service.registerEventTimeTimer("new", 7);
  });
  assert.deepEqual(seen.sort(), ["a@5n", "a@6", "b@5n", "b@6"]);
  assert.equal(backend.currentKey, "b");
  assert.equal(service.eventTimeTimerCount, 4);
});

test("a million registrations and deletions leave nothing behind", () => {
  const { backend, service } = setUp();
  for (let i = 0; i < 200_000; i++) {
    backend.setCurrentKey(`k${i % 100}`);
    service.deleteEventTimeTimer(`window ${i - 100}`, i - 100);
    service.registerEventTimeTimer(`window ${i}`, i);
  }
  assert.equal(service.eventTimeTimerCount, 100);
  assert.ok(backend.timers("t").eventTime.idCount <= 101);
});

test("timers of a service that is not opened are kept", () => {
  const { backend, service } = setUp();
  backend.setCurrentKey("k");
  service.registerEventTimeTimer("w", 5);
  let stored = store(backend.snapshot(1).finish());
  for (let i = 0; i < 2; i++) {
    const restored = HeapKeyedStateBackend.restore<string>(options, [{ bytes: stored.bytes, keyGroups: stored.handle.keyGroups }]);
    stored = store(restored.snapshot(2).finish());
  }
  const { service: again, fired } = setUp(HeapKeyedStateBackend.restore<string>(options, [{ bytes: stored.bytes, keyGroups: stored.handle.keyGroups }]));
  again.advanceWatermark(5, never);
  assert.deepEqual(fired, ["k@5w"]);
});

test("a timer needs a current key and a time", () => {
  const { backend, service } = setUp();
  assert.throws(() => service.registerEventTimeTimer("", 1), code("STATE_NO_CURRENT_KEY"));
  backend.setCurrentKey("k");
  assert.throws(() => service.registerEventTimeTimer("", NaN), code("TIMER_INVALID", "NaN"));
  assert.throws(() => service.registerProcessingTimeTimer("", 1.5), code("TIMER_INVALID", "1.5"));
});
