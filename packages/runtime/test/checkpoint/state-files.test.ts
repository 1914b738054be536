import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileSystem } from "@millrace/core";
import { readOperatorState } from "../../src/checkpoint/state-files.js";

test("of an operator's state whose files all fail, every failure has somebody who hears of it", async () => {
  const unheard: unknown[] = [];
  const onUnheard = (error: unknown): void => void unheard.push(error);
  process.on("unhandledRejection", onUnheard);
  let turns = 0;
  // Each file fails one turn after the one before.
  const fs = {
    read: async (path: string) => {
      for (let left = ++turns; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
      throw new Error(`cannot read ${path}`);
    },
  } as unknown as FileSystem;
  const file = (path: string): object => ({ path, offset: 0, length: 10 });
  for (const [keyed, operator] of [["/fast", "/slow"], ["/slow", "/fast"]] as const) {
    const restore = { keyed: [{ file: file(keyed), keyGroups: [], keyGroupRange: [0, 1] }], operator: [{ handle: { file: file(operator), states: [] }, assignments: [] }] };
    await assert.rejects(readOperatorState(fs, restore), /cannot read/);
    turns = 0;
  }
  for (let left = 5; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", onUnheard);
  assert.deepEqual(unheard, []);
});
