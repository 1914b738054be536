import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyBatcher } from "../src/lookup/key-batcher.js";
import { LookupCache } from "../src/lookup/lookup-cache.js";

test("answers go after their time, counted from when they were loaded", () => {
  let nowMs = 0;
  const cache = new LookupCache<string>(10, 100, () => nowMs);
  cache.set("a", "A", 1);
  nowMs = 99;
  assert.equal(cache.get("a"), "A");
  nowMs = 100;
  assert.equal(cache.get("a"), undefined);
  assert.equal(cache.rows, 0);
});

test("the rows count, and not the keys; a missing key counts as one row", () => {
  const cache = new LookupCache<string>(5, 0, () => 0);
  cache.set("a", "A", 3);
  cache.set("b", "none", 0);
  assert.equal(cache.rows, 4);
  cache.set("c", "C", 2);
  assert.deepEqual([cache.get("a"), cache.get("b"), cache.get("c"), cache.rows], [undefined, "none", "C", 3]);
  cache.set("d", "too many", 6);
  assert.deepEqual([cache.get("d"), cache.rows], [undefined, 3]);
});

test("keys that are asked for together are loaded together, each once, and a failure is everybody's", async () => {
  const loads: string[][] = [];
  let fails = false;
  const batcher = new KeyBatcher<string>((keys) => {
    loads.push(keys.map(([key]) => String(key)));
    return fails ? Promise.reject(new Error("away")) : Promise.resolve(keys.map(([key]) => `value ${String(key)}`));
  }, 2, 1);
  const get = (key: string): Promise<string> => batcher.get(key, [key]);
  assert.deepEqual(await Promise.all([get("a"), get("b"), get("a"), get("c")]), ["value a", "value b", "value a", "value c"]);
  assert.deepEqual(loads, [["a", "b"], ["c"]]);
  fails = true;
  assert.deepEqual((await Promise.allSettled([get("a"), get("a"), get("d")])).map(({ status }) => status), ["rejected", "rejected", "rejected"]);
  fails = false;
  assert.equal(await get("a"), "value a");
});
