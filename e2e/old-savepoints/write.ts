// Writes a savepoint of the job into testdata/savepoints/NAME, with what a job restored from it has to bring: node --import tsx e2e/old-savepoints/write.ts NAME
// Done once for a release, after what is written has changed. What is there already is never written again.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runJob } from "./run.js";

const [name] = process.argv.slice(2);
assert.match(name ?? "", /^[0-9a-z.-]+$/, "name the savepoint, such as 0.2.0");
const target = fileURLToPath(new URL(`../../testdata/savepoints/${name}`, import.meta.url));
assert.ok(!existsSync(target), `${target} is there already`);

const directory = mkdtempSync(join(tmpdir(), "millrace-old-savepoints-"));
try {
  const whole = await runJob({ parallelism: 2 });
  const before = await runJob({ parallelism: 2, stop: { afterMs: 137, directory } });
  const after = await runJob({ parallelism: 2, from: before.savepoint! });
  // What the savepoint holds ready is committed by the stop and by the restore, as the same transactions.
  assert.deepEqual([...new Set([...before.visible, ...after.visible])].sort(), [...new Set(whole.visible)].sort());
  cpSync(before.savepoint!, target, { recursive: true });
  writeFileSync(join(target, "expected.json"), `${JSON.stringify(after.visible, undefined, 1)}\n`);
  process.stdout.write(`${target}: ${before.visible.length} results before, ${after.visible.length} after\n`);
} finally {
  rmSync(directory, { recursive: true });
}
