import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { LatencyHistogram } from "../src/data/latency-histogram.js";
import { parseOptions } from "../src/options.js";
import { median, mediansOf } from "../src/report/medians.js";
import { parseResults } from "../src/report/earlier-results.js";
import { resultsPage } from "../src/report/results-page.js";
import { formatCount, formatRatio, markdownTable, textTable } from "../src/report/table.js";
import { checkAgreement, type WorkResult } from "../src/run-work.js";
import type { Sample } from "../src/work.js";
import { throughputFigure } from "../src/works/throughput.js";
import { works } from "../src/works/index.js";

const sample = (records: number, seconds: number, checksum: number = 1): Sample => ({ records, seconds, cpuSeconds: seconds, peakRssKb: 1024, outputs: 10, checksum, extras: {} });

test("a table is as wide as its cells", () => {
  assert.equal(textTable(["work", "ratio"], [["a", "12.3 ×"], ["long name", "1 ×"]]), [
    "work        ratio",
    "─────────  ──────",
    "a          12.3 ×",
    "long name     1 ×",
  ].join("\n"));
  assert.equal(markdownTable(["a", "b"], [["x|y", "1"]]), "| a | b |\n|---|---:|\n| x\\|y | 1 |");
});

test("numbers keep three digits", () => {
  assert.deepEqual([4_213_000, 42_130, 421.3, 1e9, Number.NaN].map(formatCount), ["4.21 M", "42.1 k", "421", "1.00 G", "–"]);
  assert.deepEqual([0.456, 12.34, Number.NaN].map(formatRatio), ["0.46 ×", "12.3 ×", "–"]);
});

test("the median of an even number of runs lies between the middle two", () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(mediansOf([sample(100, 1), sample(100, 2), sample(100, 10)]).recordsPerSecond, 50);
});

test("a goal is met at the ratio, and nothing is said without Flink", () => {
  const medians = (ours: number, theirs: number) => new Map([["millrace", mediansOf([sample(ours, 1)])], ["flink", mediansOf([sample(theirs, 1)])]]);
  assert.equal(throughputFigure(medians(500, 100), 5).met, true);
  assert.equal(throughputFigure(medians(499, 100), 5).met, false);
  assert.equal(throughputFigure(new Map([["millrace", mediansOf([sample(500, 1)])]]), 5).met, undefined);
});

test("different checksums are an error that names the sides", () => {
  const samples = new Map([["millrace", [sample(1, 1, 7)]], ["flink", [sample(1, 1, 7)]], ["loop", [sample(1, 1, 8)]]]);
  assert.throws(() => checkAgreement({ name: "w" }, samples), /w: the results differ:\n {2}millrace, run 1.*checksum 7\n {2}loop, run 1.*checksum 8$/);
  samples.set("loop", [sample(1, 1, 7)]);
  checkAgreement({ name: "w" }, samples);
});

test("quantiles of latencies, merged from two subtasks", () => {
  const first = new LatencyHistogram();
  for (let ms = 1; ms <= 99; ms++) first.add(ms);
  const both = new LatencyHistogram();
  both.addAll(first.toJSON());
  both.addAll([[50_000, 1]]);
  assert.equal(both.total, 100);
  assert.ok(Math.abs(both.quantileMs(0.5) - 50) < 0.02);
  assert.ok(Math.abs(both.quantileMs(0.99) - 99) < 0.02);
  assert.ok(Math.abs(both.quantileMs(1) - 500) < 0.02);
  assert.ok(Number.isNaN(new LatencyHistogram().quantileMs(0.5)));
});

test("options, and works by name", () => {
  assert.deepEqual(parseOptions(["--only", "session,memory", "--only", "cold-start"]).only, ["session", "memory", "cold-start"]);
  assert.equal(parseOptions([]).runs, 5);
  assert.equal(parseOptions(["--smoke"]).runs, 1);
  assert.throws(() => parseOptions(["--runs", "0"]));
  assert.throws(() => parseOptions(["--scale", "2"]));
  assert.throws(() => parseOptions(["--nonsense"]));
  assert.equal(new Set(works.map((work) => work.name)).size, works.length);
});

const resultOf = (name: string, ours: number): WorkResult => {
  const samples = new Map([["millrace", [sample(ours, 1)]], ["flink", [{ ...sample(100, 1), config: { flink: "2.3.0" } }]]]);
  const size = { records: 10_000_000, keys: 100, prelude: 0, textBytes: 0, smoke: false };
  return { work: works.find((work) => work.name === name)!, size, samples, medians: new Map([...samples].map(([side, list]) => [side, mediansOf(list)])) };
};

test("the page of results names commands, goals and sizes, and keeps the works that were not run again", () => {
  const before = resultsPage([resultOf("session", 400), resultOf("stateless-chain", 900)], "npm run bench -- --write-results", 5, parseResults(""));
  for (const part of ["| session | records/s | 400 | 100 | – | 4.00 × | ≥ 2 × | yes |", '"flink": "2.3.0"', "10 M records, 100 keys; by `npm run bench -- --write-results`, 5 runs of each side"]) {
    assert.ok(before.includes(part), `${part}\nis missing in\n${before}`);
  }
  const after = resultsPage([resultOf("session", 300)], "npm run bench -- --only session --runs 1", 1, parseResults(`${before}\nA remark.\n`));
  const changed = (page: string): string => page.split("\n").filter((line) => !/session|remark/.test(line)).join("\n").trim();
  assert.equal(changed(after), changed(before));
  for (const part of ["| session | records/s | 300 | 100 |", "by `npm run bench -- --only session --runs 1`, 1 run of each side", "\nA remark.\n"]) assert.ok(after.includes(part), `${part}\nis missing in\n${after}`);
  assert.ok(after.indexOf("stateless-chain") < after.indexOf("session"), "in the order of the works");
  assert.equal(resultsPage([], "", 1, parseResults(after)), after);
});

test("what the committed page of results says is kept, of an older form, too", () => {
  const page = readFileSync(new URL("../RESULTS.md", import.meta.url), "utf8");
  const { works: earlier, config, remarks } = parseResults(page);
  assert.ok(earlier.size >= 14);
  for (const [name, { figures, costs, about }] of earlier) {
    assert.ok(figures.length > 0 && costs !== "", name);
    assert.match(about, /; by `npm run bench -- [^`]*`, \d+ runs? of each side$/);
  }
  const again = resultsPage([], "", 1, parseResults(page));
  for (const line of page.split("\n").filter((text) => text.startsWith("| ") && !/^\| (processor|memory|system|node|millrace) /.test(text))) assert.ok(again.includes(line), line);
  assert.ok(config !== undefined && again.includes(config));
  assert.ok(again.includes(remarks));
});
