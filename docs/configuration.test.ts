// docs/configuration.md lists every option with its type, default and description, as the code has them.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

test("the table of options is up to date", () => {
  const result = spawnSync(process.execPath, [fileURLToPath(new URL("../tools/generate-docs.mjs", import.meta.url)), "--check"], { encoding: "utf8" });
  assert.equal(result.status, 0, result.stderr);
});
