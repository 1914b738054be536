import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { translate, type StreamNode } from "../src/index.js";
import { assignOperatorIds } from "../src/operator-id.js";
import { stableHash } from "../src/stable-hash.js";
import { jobId, Program } from "./program.js";

test("a uid alone decides the id", () => {
  const program = new Program();
  program.map(program.source(), { uid: "doubler" });
  assert.equal(assignOperatorIds(program.nodes).get(2), stableHash("doubler"));
});

test("two operators with one uid are refused by name", () => {
  const program = new Program();
  const source = program.source();
  program.map(source, { uid: "same", name: "first" });
  program.map(source, { uid: "same", name: "second" });
  assert.throws(() => translate(program.pipeline(), { jobId }), { code: "DUPLICATE_UID", message: /"first" and "second".*"same"/ });
});

test("a uid hash is the id, and nobody else's", () => {
  const hash = "0123456789abcdef0123456789abcdef";
  const program = new Program();
  const map = program.map(program.source(), { uid: "doubler" });
  map.uidHash = hash;
  assert.equal(assignOperatorIds(program.nodes).get(2), hash);
  program.map(map, { uid: "other", name: "other" }).uidHash = hash;
  assert.throws(() => assignOperatorIds(program.nodes), { code: "DUPLICATE_UID", message: new RegExp(`"other".*${hash}`) });
});

test("the order of a union's inputs does not matter, which input they feed does", () => {
  const ids = (order: "ab" | "ba", index: 0 | 1): string => {
    const program = new Program();
    const a = program.source("a");
    const b = program.source("b");
    const inputs = (order === "ab" ? [a, b] : [b, a]).map((source) => [source, { kind: "forward", implicit: true }, source === b ? index : 0] as const);
    return assignOperatorIds(program.nodes.concat(program.add({ type: "coMap", fn: class {} as never }, "x", inputs))).get(3)!;
  };
  assert.equal(ids("ab", 0), ids("ba", 0));
  assert.notEqual(ids("ab", 0), ids("ab", 1));
});

test("twins are numbered in program order", () => {
  const program = new Program();
  const source = program.source();
  program.map(source);
  program.map(source);
  const ids = assignOperatorIds(program.nodes);
  assert.notEqual(ids.get(2), ids.get(3));
});

/** A random program: each operator reads one or two earlier ones; names are unique, as the text of a real program's names mostly is. */
const programs = fc.array(fc.record({ inputs: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }), kind: fc.constantFrom("map", "filter", "process") }), { maxLength: 12 });

function build(operators: readonly { readonly inputs: readonly number[]; readonly kind: string }[], prefix: string, program = new Program()): StreamNode[] {
  const nodes = [program.source(`${prefix}-source`)];
  operators.forEach(({ inputs, kind }, i) => {
    const reads = inputs.map((input) => [nodes[input % nodes.length]!, { kind: "forward", implicit: true }, 0] as const);
    nodes.push(program.add({ type: kind as "map", fn: (x: unknown) => x }, `${prefix}-${i}`, reads));
  });
  return nodes;
}

test("operators added elsewhere change no id, wherever in the program they stand", (t) => {
  const seed = Date.now() & 0x7fffffff;
  t.diagnostic(`seed ${seed}`);
  fc.assert(
    fc.property(programs, programs, (kept, added) => {
      const alone = build(kept, "kept");
      const before = new Program();
      build(added, "added", before);
      const together = build(kept, "kept", before);
      const downstream = before.nodes.concat();
      for (const node of together) before.add({ type: "map", fn: (x: unknown) => x }, `behind-${node.name}`, [[node, { kind: "rebalance" }]]);
      const a = assignOperatorIds(alone);
      const b = assignOperatorIds(before.nodes);
      alone.forEach((node, i) => assert.equal(a.get(node.id), b.get(together[i]!.id)));
      assert.equal(new Set(b.values()).size, before.nodes.length);
      assert.ok(downstream.length < before.nodes.length);
    }),
    { seed },
  );
});
