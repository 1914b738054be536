import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import * as millrace from "millrace";
import * as core from "@millrace/core";

/* What users can import. A name that goes missing here breaks somebody's program. */
test("the public exports are the listed ones", async () => {
  const listed = (await readFile(new URL("./exports.txt", import.meta.url), "utf8")).trim().split("\n");
  assert.deepEqual(Object.keys(millrace).sort(), listed);
});

test("every window assigner, trigger, evictor, accumulator and state descriptor of core is public", () => {
  const needed = Object.keys(core).filter((name) => /^[A-Z].*(Windows|Trigger|Evictor|Descriptor|Accumulator|Strategy)$/.test(name));
  assert.ok(needed.length > 20);
  assert.deepEqual(needed.filter((name) => !(name in millrace)), []);
});
