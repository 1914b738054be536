import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Checksum } from "../src/data/checksum.js";
import { payload, purchase, reading, triple } from "../src/data/records.js";
import { word, wordId } from "../src/data/words.js";
import type { Loop } from "../src/loops/loop.js";

interface Golden {
  readonly records: number;
  readonly outputs: number;
  readonly checksum: number;
  readonly samples: readonly (readonly (number | string)[])[];
}
const golden = JSON.parse(readFileSync(new URL("../peers/flink/golden.json", import.meta.url), "utf8")) as Record<string, Golden>;

const samples: Readonly<Record<string, (n: number) => object>> = {
  "stateless-chain": triple,
  "keyed-tumbling": (n) => purchase(n, 100_000),
  "sliding-60-1": (n) => reading(n, 1000, 10, 0),
  session: (n) => reading(n, 100_000, 100, 0),
  "interval-join": (n) => (n < 5 ? reading(n, 10_000, 10, 0) : reading(n - 5, 10_000, 10, 8)),
  "process-timers": (n) => reading(n, 100_000, 100, 0),
  "rebalance-100b": payload,
  "word-count-file": (n) => ({ n, id: wordId(n), word: word(wordId(n)) }),
};

for (const [name, generate] of Object.entries(samples)) {
  test(`${name}: the first records are those of the peer`, () => {
    assert.deepEqual(Array.from({ length: 10 }, (_, n) => Object.values(generate(n))), golden[name]!.samples);
  });

  test(`${name}: the loop reaches the peer's checksum`, async () => {
    const { records, outputs, checksum } = golden[name]!;
    const directory = await mkdtemp(join(tmpdir(), "millrace-bench-"));
    try {
      const file = join(directory, "words.txt");
      if (name === "word-count-file") await writeFile(file, textOf(records));
      const { run } = (await import(`../src/loops/${name}.ts`)) as { run: Loop };
      const out = new Checksum();
      await run({ records, keys: undefined, input: [file] }, out);
      assert.deepEqual({ outputs: out.outputs, checksum: out.sum }, { outputs, checksum });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

function textOf(words: number): string {
  const lines: string[] = [];
  for (let n = 0; n < words; n += 10) lines.push(`${Array.from({ length: Math.min(10, words - n) }, (_, i) => word(wordId(n + i))).join(" ")}\n`);
  return lines.join("");
}
