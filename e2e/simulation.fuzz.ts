import assert from "node:assert/strict";
import { test } from "node:test";
import { Report } from "../tools/sim/report.js";
import { drawScenario, runScenario } from "./simulation/run-seed.js";

/*
 * Invariant: whatever goes wrong in a cluster, what its job commits is what a sequential program computes, and the job ends once everything is well again.
 * MILLRACE_SIM_SEEDS is the number of seeds: few, since `npm run sim` runs thousands of them, on all processors; it shrinks the ones that fail and shows their traces.
 */
const SEEDS = Number(process.env["MILLRACE_SIM_SEEDS"] ?? 30);

test("clusters that fail in every way do what a sequential program does", async (context) => {
  const report = new Report();
  const failed: string[] = [];
  const startedMs = performance.now();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await runScenario(drawScenario(seed));
    report.add(outcome);
    if (outcome.violations.length > 0) failed.push(`seed ${seed}: ${outcome.violations[0]}`);
  }
  for (const line of report.lines(performance.now() - startedMs)) context.diagnostic(line);
  assert.deepEqual(failed, []);
  if (SEEDS >= 200) assert.deepEqual(report.idle, []);
});

test("the same seed is the same run", async () => {
  for (const seed of [11, 12, 15]) {
    const first = await runScenario(drawScenario(seed));
    const second = await runScenario(drawScenario(seed), { keepsTrace: true });
    assert.equal(second.hash, first.hash);
    assert.equal(second.events, first.events);
  }
});

test("seeds differ", async () => {
  const hashes = await Promise.all([21, 22].map(async (seed) => (await runScenario(drawScenario(seed))).hash));
  assert.notEqual(hashes[0], hashes[1]);
});
