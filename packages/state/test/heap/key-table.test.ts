import { keyHash } from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyTable } from "../../src/heap/key-table.js";

test("keys of other types with the hash of an integer key are other keys", () => {
  const hash = keyHash(1);
  for (const keys of [[1, "x", 1.5, 1n], ["x", 1.5, 1n, 1]]) {
    const table = new KeyTable();
    const rows = keys.map((key) => {
      assert.equal(table.find(key, hash), -1);
      const row = table.insert(key, hash);
      table.hold(row);
      return row;
    });
    assert.deepEqual(keys.map((key) => table.find(key, hash)), rows);
  }
});

test("a row is free when nothing holds it any more, and is taken again last in, first out", () => {
  const table = new KeyTable<string>();
  const rows = ["a", "b", "c"].map((key) => {
    const row = table.insert(key, keyHash(key));
    table.hold(row);
    return row;
  });
  table.hold(rows[1]!);
  assert.equal(table.release(rows[1]!), false);
  assert.equal(table.release(rows[1]!), true);
  assert.equal(table.release(rows[0]!), true);
  assert.equal(table.find("a", keyHash("a")), -1);
  assert.deepEqual([table.isUsed(rows[0]!), table.isUsed(rows[2]!)], [false, true]);
  const taken = ["d", "e", "f"].map((key) => {
    const row = table.insert(key, keyHash(key));
    table.hold(row);
    return row;
  });
  assert.deepEqual(taken, [rows[0], rows[1], 3]);
  assert.deepEqual(["c", "d", "e", "f"].map((key) => table.keyAt(table.find(key, keyHash(key)))), ["c", "d", "e", "f"]);
});
