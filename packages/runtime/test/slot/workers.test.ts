import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchDecoder } from "@millrace/core";
import { runOnWorkers } from "../support/worker-job.js";
import { jobGraph, KEYS, RECORDS } from "../support/worker-graph.js";

test("a keyed job on two real worker threads counts every record of every key once", async () => {
  const totals = new Map<string, number>();
  const decoder = new BatchDecoder();
  await runOnWorkers(jobGraph, new URL("../support/worker-graph.ts", import.meta.url).href, 2, (event) => {
    if (event.type !== "collected") return;
    for (const { key, count } of decoder.decode(event.batch).values as { readonly key: string; readonly count: number }[]) totals.set(key, Math.max(totals.get(key) ?? 0, count));
  });
  assert.equal(totals.size, KEYS);
  assert.equal([...totals.values()].reduce((a, b) => a + b, 0), RECORDS);
});
