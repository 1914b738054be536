import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyCursor } from "../../src/heap/key-cursor.js";
import { TimerQueue } from "../../src/timers/timer-queue.js";
import { fuzz } from "../seed.js";

// Invariant: the queue is a sorted list of distinct (key, namespace, time), equal times in order of registration.

const command = fc.record({
  op: fc.constantFrom("add", "add", "add", "delete", "pop"),
  key: fc.nat(20),
  namespace: fc.constantFrom("", "a", "b"),
  time: fc.oneof(fc.nat(15), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
});

test("a timer queue is a sorted list", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400, size: "max" }), (commands) => {
      const cursor = new KeyCursor(8, [0, 7]);
      const queue = new TimerQueue(cursor);
      const model: { id: string; time: number; sequence: number }[] = [];
      let sequence = 0;
      const pop = (): void => {
        model.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
        const expected = model.shift();
        assert.equal(queue.peekTime(), expected?.time);
        if (expected === undefined) return;
        const id = queue.peek();
        assert.equal(`${cursor.table.keyAt(queue.rowOf(id))}/${queue.namespaceOf(id)}/${queue.timeOf(id)}`, expected.id);
        queue.remove(id);
      };
      for (const { op, key, namespace, time } of commands) {
        const id = `${key}/${namespace}/${time}`;
        const at = model.findIndex((timer) => timer.id === id);
        cursor.set(key, undefined);
        if (op === "add") {
          assert.equal(queue.register(namespace, time), at < 0);
          if (at < 0) model.push({ id, time, sequence: sequence++ });
        } else if (op === "delete") {
          assert.equal(queue.delete(namespace, time), at >= 0);
          if (at >= 0) model.splice(at, 1);
        } else pop();
        assert.equal(queue.size, model.length);
      }
      while (model.length > 0) pop();
      assert.equal(cursor.table.index.size, 0);
    }),
    fuzz("timer queue", 300),
  );
});

test("restored timers fire in the order of their sequences, whatever order they come in", () => {
  // Sequences so far apart that ranks do not fit a double are ordered too.
  const sequence = fc.oneof(fc.nat(30), fc.maxSafeNat());
  const timer = fc.record({ key: fc.nat(50), namespace: fc.constantFrom("", "a"), time: fc.nat(5), sequence });
  fc.assert(
    fc.property(fc.uniqueArray(timer, { selector: (one) => `${one.key}/${one.namespace}/${one.time}`, maxLength: 100, size: "max" }), fc.nat(100), (timers, deleted) => {
      const cursor = new KeyCursor(8, [0, 7]);
      const queue = new TimerQueue(cursor);
      const restored = timers.map((one, at) => ({ ...one, at }));
      for (const { key, namespace, time, sequence: position } of timers) {
        cursor.set(key, undefined);
        queue.restore(cursor.resolveForWrite(), namespace, time, position);
      }
      const gone = restored[deleted];
      if (gone !== undefined) {
        cursor.set(gone.key, undefined);
        assert.equal(queue.delete(gone.namespace, gone.time), true);
      }
      cursor.set(51, undefined);
      queue.register("", 3);
      const last = { key: 51, namespace: "", time: 3, sequence: Infinity, at: Infinity };
      const expected = [...restored.filter((one) => one !== gone), last].sort((a, b) => a.time - b.time || (a.sequence === b.sequence ? a.at - b.at : a.sequence - b.sequence));
      for (const { key, namespace, time } of expected) {
        const id = queue.peek();
        assert.deepEqual([cursor.table.keyAt(queue.rowOf(id)), queue.namespaceOf(id), queue.peekTime()], [key, namespace, time]);
        queue.remove(id);
      }
      assert.equal(queue.size, 0);
    }),
    fuzz("restored timers", 300),
  );
});
