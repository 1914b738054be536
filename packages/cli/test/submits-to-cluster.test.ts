import assert from "node:assert/strict";
import { test } from "node:test";
import { submitsToCluster } from "../src/submits-to-cluster.js";

test("only -m before the job makes a run one that submits", () => {
  const submits = (text: string): boolean => submitsToCluster(text.split(" "));
  for (const text of ["run -m h:1 job.ts", "run -q -p 2 --jobmanager h:1 job.ts", "run --jobmanager=h:1 -D a=-m job.ts", "run -mh:1 job.ts -p 3", "run --configDir c -t remote -m h:1 job.ts", "run -cm CLAIM -s s -m h:1 job.ts"]) assert.ok(submits(text), text);
  for (const text of ["run job.ts -m 5", "run -p 2 job.ts", "run -D -m job.ts", "run --inline -m h:1 job.ts", "list -m h:1", "run"]) assert.ok(!submits(text), text);
});
