import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HashIndex, mixHash } from "../../src/heap/hash-index.js";
import { fuzz } from "../seed.js";

// Invariant: after any inserts, removals and repointings a probe for a hash meets exactly its references.

function refsOf(index: HashIndex, hash: number): number[] {
  const mixed = mixHash(hash);
  const table = index.tables[mixed >>> index.shift]!;
  const refs: number[] = [];
  const mask = table.length - 2;
  for (let slot = (mixed << 1) & mask; table[slot + 1] !== 0; slot = (slot + 2) & mask) if (table[slot] === hash) refs.push(table[slot + 1]! - 1);
  return refs.sort((a, b) => a - b);
}

test("an index finds what is in it", () => {
  // Few hashes make chains of equal ones; hashes that differ in their high bits only, or their low bits only, make clusters.
  const hash = fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 100 }).map((n) => n << 24), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
  const command = fc.record({ op: fc.constantFrom("insert", "insert", "remove", "repoint"), hash, pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 500, size: "max" }), (commands) => {
      const index = new HashIndex();
      const model: { hash: number; ref: number }[] = [];
      let next = 0;
      for (const step of commands) {
        const entry = model[step.pick % Math.max(model.length, 1)];
        if (step.op === "insert" || entry === undefined) {
          index.insert(step.hash, next);
          model.push({ hash: step.hash, ref: next++ });
        } else if (step.op === "remove") {
          index.remove(entry.hash, entry.ref);
          model.splice(model.indexOf(entry), 1);
        } else {
          index.repoint(entry.hash, entry.ref, next);
          entry.ref = next++;
        }
      }
      assert.equal(index.size, model.length);
      const firsts = new Int32Array(commands.length);
      index.first(Int32Array.from(commands, (step) => step.hash), commands.length, firsts);
      commands.forEach((step, i) => {
        // An entry may be too far behind to be found this way, but then there is one.
        const refs = refsOf(index, step.hash);
        assert.ok(firsts[i] === -1 || refs.includes(firsts[i]!), `${step.hash}: ${firsts[i]}`);
        if (model.length === 1 && refs.length === 1) assert.equal(firsts[i], refs[0]);
      });
      for (const step of commands) {
        assert.deepEqual(refsOf(index, step.hash), model.filter((entry) => entry.hash === step.hash).map((entry) => entry.ref).sort((a, b) => a - b));
      }
    }),
    fuzz("hash index", 200),
  );
});

test("growing over many segments keeps every entry, equal hashes too", () => {
  const index = new HashIndex();
  const count = 300_000;
  const hashOf = (ref: number): number => (ref % 5 === 0 ? ref % 1000 : Math.imul(ref, 0x01000193) | 0);
  for (let ref = 0; ref < count; ref++) index.insert(hashOf(ref), ref);
  for (let ref = 0; ref < count; ref += 7) index.remove(hashOf(ref), ref);
  for (let ref = 0; ref < count; ref += 977) assert.equal(refsOf(index, hashOf(ref)).includes(ref), ref % 7 !== 0, String(ref));
  assert.equal(index.size, count - Math.ceil(count / 7));
  assert.ok(index.tables.length > 8);
});

test("more equal hashes than a segment holds do not split without end", () => {
  const index = new HashIndex();
  for (let ref = 0; ref < 40_000; ref++) index.insert(42, ref);
  assert.equal(refsOf(index, 42).length, 40_000);
  assert.ok(index.tables.length <= 2 ** 20);
});
