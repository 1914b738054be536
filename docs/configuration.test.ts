// docs/configuration.md lists every option, and docs/rest-api.md every route, as the code has them.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

test("the tables of options and routes are up to date", () => {
  const result = spawnSync(process.execPath, [fileURLToPath(new URL("../tools/generate-docs.mjs", import.meta.url)), "--check"], { encoding: "utf8" });
  assert.equal(result.status, 0, result.stderr);
});
