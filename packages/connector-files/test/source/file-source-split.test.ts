import assert from "node:assert/strict";
import { test } from "node:test";
import { evenSplitBytes, splitsOf } from "../../src/source/file-source-split.js";

const MIB = 1024 * 1024;

test("splits are an eighth of a reader's share, within bounds", () => {
  assert.equal(evenSplitBytes(320 * MIB, 2), 20 * MIB);
  assert.equal(evenSplitBytes(10 * MIB, 2), 8 * MIB);
  assert.equal(evenSplitBytes(100_000 * MIB, 2), 64 * MIB);
  assert.equal(evenSplitBytes(0, 1), 8 * MIB);
});

test("splits cover a file without a crumb at the end", () => {
  assert.deepEqual(splitsOf("f", 21, 10).map(({ startByte, endByte }) => [startByte, endByte]), [[0, 10], [10, 21]]);
  assert.deepEqual(splitsOf("f", 22, 10).map(({ startByte, endByte }) => [startByte, endByte]), [[0, 10], [10, 20], [20, 22]]);
  assert.deepEqual(splitsOf("f", 22, Number.POSITIVE_INFINITY).map(({ startByte, endByte }) => [startByte, endByte]), [[0, 22]]);
});
