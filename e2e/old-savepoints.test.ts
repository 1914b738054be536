import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runJob } from "./old-savepoints/run.js";

/* Savepoints restore for ever: those of all releases bring what they brought to the release that wrote them, moved elsewhere and at any parallelism. */
const kept = fileURLToPath(new URL("../testdata/savepoints", import.meta.url));
const elsewhere = mkdtempSync(join(tmpdir(), "millrace-old-savepoints-"));
after(() => rmSync(elsewhere, { recursive: true }));

for (const name of readdirSync(kept).sort()) {
  for (const parallelism of [1, 2, 3]) {
    test(`the savepoint of ${name} restores at parallelism ${parallelism}`, async () => {
      const from = join(elsewhere, `${name}-${parallelism}`);
      cpSync(join(kept, name), from, { recursive: true });
      const { visible } = await runJob({ parallelism, from });
      assert.deepEqual(visible, JSON.parse(readFileSync(join(kept, name, "expected.json"), "utf8")));
    });
  }
}
