import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, userFrames, userPlace } from "../../src/index.js";

test("the user's frames are those outside of Node, packages and generated code", () => {
  const stack = [
    "Error: two", "lines", "    at parse (/home/me/packages/core/src/job.ts:3:9)", "    at Object.run [as entry] (millrace-chain-1:11:12)",
    "    at async file:///home/me/other.mjs:1:2", "    at run (/x/node_modules/@millrace/runtime/dist/task.js:1:1)", "    at node:internal/main:1:1", "    at new Promise (<anonymous>)",
  ].join("\n");
  assert.deepEqual(userFrames(stack), ["at parse (/home/me/packages/core/src/job.ts:3:9)", "at async file:///home/me/other.mjs:1:2"]);
  assert.deepEqual(userFrames(undefined), []);
});

test("a frame gives its place, whatever is in its path", () => {
  assert.equal(placeOf("at Foo.bar [as baz] (/a (b)/job c.ts:3:9)"), "/a (b)/job c.ts:3:9");
  assert.equal(placeOf("at async file:///home/me/other.mjs:1:2"), "/home/me/other.mjs:1:2");
  assert.equal(placeOf(undefined), undefined);
});

test("an error began where its deepest cause did", () => {
  const error = { stack: "Error\n    at a (/u/a.ts:1:1)", cause: { stack: "Error\n    at b (/u/b.ts:2:2)", cause: { stack: "Error\n    at node:x:1:1" } } };
  assert.equal(userPlace(error), "/u/b.ts:2:2");
});
