import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sourcesOf, targetsOf } from "../../src/exchange/edge-topology.js";

const kinds = ["forward", "rebalance", "rescale", "shuffle", "broadcast", "global", "hash", "custom"] as const;

test("both ends of an edge agree on its channels, and every subtask has at least one", () => {
  fc.assert(fc.property(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (kind, sources, targets) => {
    const fromSources = new Set<string>();
    for (let source = 0; source < sources; source++) {
      const to = targetsOf(kind, source, sources, targets);
      assert.ok(to.length > 0);
      for (const target of to) fromSources.add(`${source}-${target}`);
    }
    const fromTargets = new Set<string>();
    for (let target = 0; target < targets; target++) {
      const from = sourcesOf(kind, target, sources, targets);
      assert.ok(from.length > 0);
      for (const source of from) fromTargets.add(`${source}-${target}`);
    }
    assert.deepEqual([...fromSources].sort(), [...fromTargets].sort());
  }));
});

test("rescale spreads subtasks evenly", () => {
  assert.deepEqual([0, 1].map((source) => targetsOf("rescale", source, 2, 4)), [[0, 1], [2, 3]]);
  assert.deepEqual([0, 1].map((target) => sourcesOf("rescale", target, 4, 2)), [[0, 1], [2, 3]]);
});
