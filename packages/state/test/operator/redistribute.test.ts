import assert from "node:assert/strict";
import { test } from "node:test";
import { keyGroupRange } from "@millrace/core";
import { assignKeyedState, type KeyedStateHandle } from "../../src/index.js";

test("every key group goes to the one subtask that owns it", () => {
  const maxParallelism = 128;
  for (const [before, after] of [[1, 3], [3, 1], [3, 4], [128, 5], [2, 2]] as const) {
    const handles: KeyedStateHandle[] = Array.from({ length: before }, (_, subtask) => {
      const [first, last] = keyGroupRange(maxParallelism, before, subtask);
      const keyGroups = Array.from({ length: last - first + 1 }, (_, i) => ({ keyGroup: first + i, offset: i * 10, length: 10 })).filter((g) => g.keyGroup % 5 !== 0);
      return { keyGroupRange: [first, last], keyGroups, file: { path: `s${subtask}`, offset: 0, length: 1000 } };
    });
    const assigned = assignKeyedState(handles, maxParallelism, after);
    assert.equal(assigned.length, after);
    const seen = new Map<number, string>();
    assigned.forEach((mine, subtask) => {
      const [first, last] = keyGroupRange(maxParallelism, after, subtask);
      for (const handle of mine) {
        assert.ok(handle.keyGroupRange[0] >= first && handle.keyGroupRange[1] <= last);
        for (const { keyGroup, offset } of handle.keyGroups) {
          assert.ok(keyGroup >= first && keyGroup <= last && !seen.has(keyGroup));
          seen.set(keyGroup, `${handle.file.path}@${offset}`);
        }
      }
    });
    for (const handle of handles) for (const { keyGroup, offset } of handle.keyGroups) assert.equal(seen.get(keyGroup), `${handle.file.path}@${offset}`);
  }
});
