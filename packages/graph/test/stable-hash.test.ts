import assert from "node:assert/strict";
import { test } from "node:test";
import { stableHash, stableHashOfBytes } from "../src/stable-hash.js";

test("hashes are MurmurHash3 x64 128, written as Flink writes operator ids", () => {
  assert.equal(stableHash(""), "00000000000000000000000000000000");
  // The reference value c382657f9a06c49d4a71fdc6d9b0d48f, each half in little-endian bytes.
  assert.equal(stableHash("I will not buy this record, it is scratched."), "9dc4069a7f6582c38fd4b0d9c6fd714a");
  // The ids that Flink's dashboard shows for the first and second operator of any program without uids.
  assert.equal(stableHashOfBytes([0, 0, 0, 0]), "bc764cd8ddf7a0cff126f51c16239658");
  assert.equal(stableHashOfBytes([0, 0, 0, 0, 0, 0, 0, 0]), "cbc357ccb763df2852fee8c4fc7d55f2");
});

test("every length up to three blocks gives a hash of its own, and so do lone surrogates", () => {
  const texts = Array.from({ length: 48 }, (_, n) => "x".repeat(n)).concat(["\ud800", "\ud801", "\ufffd", "é", "日本", "😀"]);
  assert.equal(new Set(texts.map(stableHash)).size, texts.length);
  for (const text of texts) assert.match(stableHash(text), /^[0-9a-f]{32}$/);
});
