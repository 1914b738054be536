import assert from "node:assert/strict";
import { test } from "node:test";
import { mutants } from "../mutants/mutants.mjs";
import { checkMutants } from "../run-mutants.js";

test("every mutant fits the built code, in one place", () => {
  checkMutants();
});

test("there are mutants enough, and each has a name of its own", () => {
  assert.ok(mutants.length >= 40);
  assert.equal(new Set(mutants.map(({ id }) => id)).size, mutants.length);
});
