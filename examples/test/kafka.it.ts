import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { kafkaMissing } from "../../tools/services/kafka/kafka-distribution.js";

test("the Kafka word count prints the most frequent words", { skip: kafkaMissing() ?? false }, () => {
  const counts = new Map<string, number>();
  for (const [word] of readFileSync(new URL("../data/words.txt", import.meta.url), "utf8").toLowerCase().matchAll(/[\p{L}\p{N}']+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const expected = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 10).map(([word, count]) => `${word} ${count}`);
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--import", "tsx", fileURLToPath(new URL("../kafka/run.ts", import.meta.url))], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trimEnd().split("\n"), expected);
});
