import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deque } from "../../src/exchange/deque.js";

test("behaves as an array with push and shift", () => {
  fc.assert(fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (operations) => {
    const deque = new Deque<number>();
    const model: number[] = [];
    for (const operation of operations) {
      if (operation === undefined) assert.equal(deque.shift(), model.shift());
      else {
        deque.push(operation);
        model.push(operation);
      }
      assert.equal(deque.length, model.length);
      assert.equal(deque.peek(), model[0]);
      assert.deepEqual([...deque], model);
    }
  }));
});
