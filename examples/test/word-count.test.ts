import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { printedBy, readData, sorted } from "./run-example.js";

const input = ["--input", fileURLToPath(new URL("../data/words.txt", import.meta.url))];
const words = readData("words.txt").toLowerCase().split(/[^\p{L}\p{N}']+/u).filter((word) => word !== "");

/** Every word with how often it has come so far. */
function runningCounts(): { lines: string[]; totals: Map<string, number> } {
  const totals = new Map<string, number>();
  const lines: string[] = [];
  for (const word of words) {
    const count = (totals.get(word) ?? 0) + 1;
    totals.set(word, count);
    lines.push(`${word} ${count}`);
  }
  return { lines, totals };
}
const { lines, totals } = runningCounts();

test("word count prints a running count for every word", async () => {
  assert.deepEqual(await printedBy("word-count", ["-p", "1"], input), lines, "in order, with one subtask");
  assert.deepEqual(sorted(await printedBy("word-count", ["-p", "2"], input)), sorted(lines));
  assert.deepEqual(sorted(await printedBy("word-count", ["--inline", "-p", "2"], input)), sorted(lines));
});

test("word count in batch mode prints each word once", async () => {
  const once = sorted([...totals].map(([word, count]) => `${word} ${count}`));
  for (const parallelism of ["1", "2"]) {
    assert.deepEqual(sorted(await printedBy("word-count", ["-p", parallelism, "-D", "execution.runtime-mode=BATCH"], input)), once, `parallelism ${parallelism}`);
  }
});
