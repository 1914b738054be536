#!/usr/bin/env node
// The conformance suite. Committed: cases/ (inputs) and expected/ (what Flink made of them).
//
//   node e2e/conformance/run.mjs                 Millrace against expected/
//   node e2e/conformance/run.mjs --only TEXT     only cases whose name contains TEXT
//   node e2e/conformance/run.mjs --live          Flink, run now, against expected/
//   node e2e/conformance/run.mjs --live --update the same, and writes expected/ anew
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { differences } from "./compare.mjs";
import { FlinkUnavailable, runFlink } from "./flink-side.mjs";

const here = import.meta.dirname;
const casesDirectory = join(here, "cases");
const expectedDirectory = join(here, "expected");
const shownDifferences = 6;

const { values: options } = parseArgs({
  options: { live: { type: "boolean" }, update: { type: "boolean" }, only: { type: "string", default: "" } },
});

const readJson = (directory, file) => JSON.parse(readFileSync(join(directory, file), "utf8"));
const caseFiles = readdirSync(casesDirectory).filter((file) => file.endsWith(".json") && file.includes(options.only)).sort();

function report(file, found) {
  console.log(`✗ ${file.replace(/\.json$/, "")}`);
  for (const line of found.slice(0, shownDifferences)) console.log(`    ${line}`);
  if (found.length > shownDifferences) console.log(`    … and ${found.length - shownDifferences} more`);
}

function summary(side, failed, deviating = 0) {
  const aside = deviating === 0 ? "" : `, ${deviating} deviating as DEVIATIONS.md says`;
  console.log(`${side}: ${caseFiles.length - failed - deviating} passed, ${failed} failed${aside}`);
  return failed === 0 ? 0 : 1;
}

/** Files of expected/ that no case asks for: left over when a case was renamed. */
function leftovers() {
  const known = new Set(readdirSync(casesDirectory));
  return readdirSync(expectedDirectory).filter((file) => !known.has(file));
}

function liveDifferences(expected, actual) {
  const found = differences(expected, actual);
  for (const field of ["flink", "interleavingMatters"]) {
    if (expected[field] !== actual[field]) found.push(`${field}: expected ${expected[field]}, got ${actual[field]}`);
  }
  return found;
}

async function live() {
  const out = mkdtempSync(join(tmpdir(), "millrace-conformance-"));
  try {
    const results = await runFlink(casesDirectory, out);
    if (options.update) {
      rmSync(expectedDirectory, { recursive: true, force: true });
      mkdirSync(expectedDirectory);
      for (const [file, text] of results) writeFileSync(join(expectedDirectory, file), text);
      console.log(`expected/ written: ${results.size} files`);
      return 0;
    }
    let failed = 0;
    for (const file of caseFiles) {
      const found = existsSync(join(expectedDirectory, file))
        ? liveDifferences(readJson(expectedDirectory, file), JSON.parse(results.get(file)))
        : ["no committed output: run with --live --update"];
      if (found.length > 0) {
        failed += 1;
        report(file, found);
      }
    }
    for (const file of leftovers()) {
      failed += 1;
      console.log(`✗ expected/${file} belongs to no case`);
    }
    return summary("Flink", failed);
  } catch (error) {
    if (!(error instanceof FlinkUnavailable)) throw error;
    console.error(`conformance --live did not run: ${error.message}.`);
    return process.env.CI === "true" ? 1 : 0;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

async function millrace() {
  const { tsImport } = await import("tsx/esm/api");
  const { checkCase, deviations } = await tsImport("./typescript-side.ts", import.meta.url);
  let failed = 0;
  let deviating = 0;
  for (const file of caseFiles) {
    const test = readJson(casesDirectory, file);
    let found;
    try {
      found = await checkCase(test, readJson(expectedDirectory, file));
    } catch (error) {
      found = [`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
    }
    if (found.length > 0) {
      failed += 1;
      report(file, found);
    } else if (deviations.has(test.name)) deviating += 1;
  }
  return summary("Millrace", failed, deviating);
}

process.exitCode = await (options.live ? live() : millrace());
