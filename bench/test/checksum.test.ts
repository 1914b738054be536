import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addSums, Checksum, fold, foldLong, foldText, HASH_START } from "../src/data/checksum.js";

test("a long folds as its low and high 32 bits", () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }), (value) => {
    const low = Number(BigInt.asIntN(32, value));
    const high = Number(BigInt.asIntN(32, value >> 32n));
    assert.equal(foldLong(HASH_START, Number(value)), fold(fold(HASH_START, low), high));
  }));
});

test("every character of a short text counts, and every eighth of a long one", () => {
  assert.notEqual(foldText(HASH_START, "user-1"), foldText(HASH_START, "user-2"));
  const long = "x".repeat(40);
  const changed = (at: number): string => `${long.slice(0, at)}y${long.slice(at + 1)}`;
  assert.notEqual(foldText(HASH_START, long), foldText(HASH_START, changed(16)));
  assert.notEqual(foldText(HASH_START, long), foldText(HASH_START, changed(39)));
  assert.equal(foldText(HASH_START, long), foldText(HASH_START, changed(17)));
});

test("the sum is exact modulo 2^52, whatever the order and the split between subtasks", () => {
  fc.assert(fc.property(fc.array(fc.integer(), { maxLength: 50 }), fc.nat(50), (hashes, cut) => {
    const expected = Number(hashes.reduce((sum, hash) => (sum + BigInt(hash >>> 0)) % 2n ** 52n, 0n));
    const sumOf = (some: readonly number[]): Checksum => {
      const out = new Checksum();
      for (const hash of some) out.add(hash);
      return out;
    };
    assert.equal(sumOf([...hashes].reverse()).sum, expected);
    assert.equal(addSums(sumOf(hashes.slice(0, cut)).sum, sumOf(hashes.slice(cut)).sum), expected);
  }));
});

test("the sum wraps at 2^52", () => {
  assert.equal(addSums(2 ** 52 - 1, 2), 1);
});
