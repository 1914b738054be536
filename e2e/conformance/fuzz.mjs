#!/usr/bin/env node
// Random cases on Flink and on Millrace: prints every one that differs. Needs what `run.mjs --live` needs.
//
//   node e2e/conformance/fuzz.mjs [--seed TEXT] [--cases N]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { tsImport } from "tsx/esm/api";
import { differences } from "./compare.mjs";
import { FlinkUnavailable, runFlink } from "./flink-side.mjs";
import { randomCase } from "./random-cases.mjs";

const { values: options } = parseArgs({ options: { seed: { type: "string", default: "1" }, cases: { type: "string", default: "300" } } });
const shownDifferences = 6;
const folder = mkdtempSync(join(tmpdir(), "millrace-fuzz-"));

async function fuzz() {
  const tests = Array.from({ length: Number(options.cases) }, (_, i) => randomCase(`${options.seed}-${i}`));
  for (const name of ["cases", "flink"]) mkdirSync(join(folder, name));
  for (const test of tests) writeFileSync(join(folder, "cases", `${test.name}.json`), JSON.stringify(test));
  const flink = await runFlink(join(folder, "cases"), join(folder, "flink"));
  const { runCase } = await tsImport("./typescript-side.ts", import.meta.url);
  let failed = 0;
  for (const test of tests) {
    const found = differences(JSON.parse(flink.get(`${test.name}.json`)), await runCase(test));
    if (found.length === 0) continue;
    failed += 1;
    console.log(`✗ ${test.name}: ${test.pipeline} ${JSON.stringify(test.params)}`);
    for (const line of found.slice(0, shownDifferences)) console.log(`    ${line}`);
  }
  console.log(`seed ${options.seed}: ${tests.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await fuzz();
} catch (error) {
  if (!(error instanceof FlinkUnavailable)) throw error;
  console.error(`the fuzzer did not run: ${error.message}.`);
  process.exitCode = process.env.CI === "true" ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
