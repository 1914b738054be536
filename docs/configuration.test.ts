// docs/configuration.md lists every option with its type, default and description, as the code has them.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configurationPage } from "../tools/generate-docs.mjs";

test("the table of options is up to date", () => {
  const text = readFileSync(fileURLToPath(new URL("configuration.md", import.meta.url)), "utf8");
  assert.equal(text, configurationPage(text), "run node tools/generate-docs.mjs");
});
