import assert from "node:assert/strict";
import { test } from "node:test";
import { EXTERNAL_PACKAGES } from "@millrace/core";
import { EXTERNAL_PACKAGES_KEY } from "../src/packages-to-send.js";
import { readRun } from "../src/read-run.js";

const read = (text: string): ReturnType<typeof readRun> => readRun(text.split(" "));

test("only -m before the job makes a run one that submits", () => {
  for (const text of ["run -m h:1 job.ts", "run -q -p 2 --jobmanager h:1 job.ts", "run --jobmanager=h:1 -D a=-m job.ts", "run -mh:1 job.ts -p 3", "run -cm CLAIM -s s -m h:1 job.ts"]) {
    assert.deepEqual([read(text)?.job, read(text)?.submits], ["job.ts", true], text);
  }
  for (const text of ["run job.ts -m 5", "run -p 2 job.ts", "run -D -m job.ts", "run -p4 -q job.ts"]) assert.deepEqual([read(text)?.job, read(text)?.submits], ["job.ts", false], text);
});

test("what is not a run, or may share this thread, or is not known for sure, is left to the command", () => {
  for (const text of ["run --inline -m h:1 job.ts", "list -m h:1", "run", "run -m h:1", "run -t remote job.ts", "run -qm h:1 job.ts", "run --unknown x job.ts", "run -D slot.isolation=inline job.ts", "run -Dslot.isolation=inline job.ts"]) {
    assert.equal(read(text), undefined, text);
  }
});

test("definitions are read in every way they are written", () => {
  assert.deepEqual(read("run -D a=1=2 -Db=3 --define c=4 --define=d=5 -Da=6 job.ts -D e=7")?.definitions, { a: "6", b: "3", c: "4", d: "5" });
  assert.equal(EXTERNAL_PACKAGES_KEY, EXTERNAL_PACKAGES.key);
});
