import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { differences } from "../../../../e2e/conformance/compare.mjs";
import { enginesOf, runConformanceCase, type ConformanceCase } from "./support/conformance.js";

const folder = join(import.meta.dirname, "../../../../e2e/conformance");
const read = (kind: string, name: string): any => JSON.parse(readFileSync(join(folder, kind, name), "utf8"));

/** Cases of one operator, on that operator alone; whole jobs are compared by `e2e/conformance`. */
for (const file of readdirSync(join(folder, "cases"))) {
  const conformanceCase: ConformanceCase = read("cases", file);
  for (const engine of enginesOf(conformanceCase)) {
    test(`${conformanceCase.name}${engine === undefined ? "" : ` (${engine})`} gives what Flink gave`, async () => {
      assert.deepEqual(differences(read("expected", file), await runConformanceCase(conformanceCase, engine)), []);
    });
  }
}
