import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { differences } from "./compare.mjs";
import { checkCase, type Expected } from "./typescript-side.js";
import type { Case, JobSettings } from "./typescript/case.js";
import { runStepwise, runWhole } from "./typescript/run-job.js";

interface Committed {
  readonly test: Case;
  readonly expected: Expected;
}

const readJson = (folder: string, file: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, folder, file), "utf8"));
const all: Committed[] = readdirSync(join(import.meta.dirname, "cases")).sort().map((file) => ({ test: readJson("cases", file) as Case, expected: readJson("expected", file) as Expected }));

const has = (inputs: Case["inputs"], what: "p" | "idle"): boolean => Object.values(inputs).some((script) => script.some((element) => what in element));

/** One test for each pipeline, so that a failure names it and the report stays readable. */
function checkAll(cases: readonly Committed[], check: (committed: Committed) => Promise<string[]>): void {
  for (const pipeline of new Set(cases.map((committed) => committed.test.pipeline))) {
    test(pipeline, async () => {
      const failures: string[] = [];
      for (const committed of cases) {
        if (committed.test.pipeline !== pipeline) continue;
        const found = await check(committed);
        if (found.length > 0) failures.push(`${committed.test.name}:\n  ${found.slice(0, 6).join("\n  ")}`);
      }
      assert.deepEqual(failures, []);
    });
  }
}

const stepwise = (settings: JobSettings) => (committed: Committed) => checkCase(committed.test, committed.expected, settings);

describe("element by element, as Flink", () => {
  checkAll(all, stepwise({}));
});

describe("element by element, without the chain compiler and with frozen records", () => {
  checkAll(all, stepwise({ config: { "pipeline.chain-compiler.enabled": false, "pipeline.freeze-records": true } }));
});

describe("element by element, failing three times and going on from checkpoints", () => {
  // Watermark generators start anew, and an input that was idle counts again: also in Flink.
  const restorable = all.filter(({ test: each }) => each.pipeline !== "watermark-strategy" && !(Object.keys(each.inputs).length > 1 && has(each.inputs, "idle")));
  const config = { "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 3, "restart-strategy.fixed-delay.delay": 0 };
  checkAll(restorable, stepwise({ config, restores: 3 }));
});

describe("element by element, with three subtasks of every operator", () => {
  // `count` of this pipeline counts the keys of each subtask.
  checkAll(all.filter(({ test: each }) => each.pipeline !== "broadcast-keyed"), stepwise({ parallelism: 3 }));
});

describe("element by element, with three subtasks, and windows added up before they are sent", () => {
  checkAll(all.filter(({ test: each }) => /window|tumbling|sliding|cumulat/.test(each.pipeline)), stepwise({ parallelism: 3, config: { "pipeline.combine-windows.enabled": true } }));
});

/** Between parallel subtasks even Flink's result is not defined then: one that is still idle, and behind, does not hold back the windows after it. */
const cascadesWhileIdle = ({ pipeline, inputs }: Case): boolean => pipeline === "window-cascade" && has(inputs, "idle");

describe("in parallel, as fast as it goes", () => {
  const free = all.filter(({ test: each, expected }) => !expected.interleavingMatters && !has(each.inputs, "p") && !cascadesWhileIdle(each));
  checkAll(free, async ({ test: each, expected }) => differences(expected, await runWhole(each, { parallelism: 2 })));
});

test("a session keeps its records when one comes whose own window is the whole session; Flink loses them", async () => {
  const element = (id: number, t: number, gap: number) => ({ t, v: { id, k: "a", v: id, a: gap } });
  const inputs = { in: [element(1, -1000, 400), element(2, -1001, 600), element(3, -1001, 600)] };
  const params = { assigner: { type: "session-dynamic" }, fn: "process" };
  const { outputs } = await runStepwise({ name: "equal sessions", pipeline: "session-dynamic", params, inputs });
  const value = { k: "a", start: -1001, end: -401, n: 3, sum: 6, ids: [1, 2, 3], wm: "MAX" };
  assert.deepEqual(outputs, [{ step: 3, t: -402, v: value }, { step: 3, w: "MAX" }]);
});
