import assert from "node:assert/strict";
import { test } from "node:test";
import { UnitNames } from "../src/unit-names.js";
import { TestContext } from "./support/writer-context.js";

const names = (jobId: string, restoredCheckpointId: number | undefined, attemptNumber: number, random: number): UnitNames =>
  new UnitNames("p", { ...new TestContext().context, jobId, restoredCheckpointId, attemptNumber, random: () => random });

test("an attempt without a checkpoint takes what other jobs and earlier attempts have begun, and nothing of later attempts of its job", () => {
  const own = names("a", undefined, 1, 0.1);
  assert.equal(own.isLeftover(names("a", undefined, 0, 0.2).next(), []), true, "an earlier attempt");
  assert.equal(own.isLeftover(names("b", undefined, 3, 0.2).next(), []), true, "another job");
  assert.equal(own.isLeftover(names("b", 7, 0, 0.2).next(), []), true, "another job, from a checkpoint");
  assert.equal(own.isLeftover(own.next().replace("c0", ""), []), true, "a name of a version that did not say the checkpoint");
  assert.equal(own.isLeftover(names("a", undefined, 2, 0.2).next(), []), false, "the next attempt");
  assert.equal(own.isLeftover(names("a", 1, 2, 0.2).next(), []), false, "the next attempt, from the first complete checkpoint");
  assert.equal(own.isLeftover("q-1", []), false, "names of others");
});
