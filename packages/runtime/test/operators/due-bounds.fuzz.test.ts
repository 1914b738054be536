// Invariant: going through the blocks that may be due, downwards, finds every position that is due, and bounds are tight again afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BLOCK_SHIFT, DueBounds } from "../../src/operators/window/due-bounds.js";

const BLOCK = 1 << BLOCK_SHIFT;
const LAST = 40_000;

test("every position that is due is found", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("due" as const), position: fc.nat(LAST), time: fc.nat(1000) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("putOff" as const), position: fc.nat(LAST), time: fc.nat(500) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("look" as const), position: fc.nat(LAST), time: fc.nat(1000) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const bounds = new DueBounds();
      const dueAt = new Map<number, number>();
      for (const { kind, position, time } of steps) {
        if (kind === "due") {
          dueAt.set(position, time);
          bounds.lower(position, time);
        } else if (kind === "putOff") {
          for (const [at, due] of dueAt) if ((at & 3) === (position & 3)) dueAt.set(at, due + time);
        } else {
          const expected = [...dueAt].filter(([, due]) => due <= time).map(([at]) => at).sort((a, b) => b - a);
          if (bounds.earliestMs > time) assert.deepEqual(expected, []);
          const found: number[] = [];
          for (let block = bounds.lastDue(time, Number.POSITIVE_INFINITY); block >= 0; block = bounds.lastDue(time, block)) {
            let next = Number.POSITIVE_INFINITY;
            for (let at = (block + 1) * BLOCK - 1; at >= block * BLOCK; at--) {
              const due = dueAt.get(at);
              if (due === undefined) continue;
              if (due <= time) {
                found.push(at);
                dueAt.delete(at);
              } else next = Math.min(next, due);
            }
            bounds.raise(block, next);
          }
          assert.deepEqual(found, expected);
          assert.ok(bounds.earliestMs > time);
        }
      }
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 60) },
  );
});
