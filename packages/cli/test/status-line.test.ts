import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "@millrace/core";
import { renderError } from "../src/render-error.js";
import { isUsageError } from "../src/exit-codes.js";
import { formatCount, formatWatermark, processedRecords } from "../src/status-line.js";

process.env["NO_COLOR"] = "1";

test("counts are short", () => {
  assert.deepEqual([0, 999, 1234, 99_940, 1_500_000, 2e9, 1e13].map(formatCount), ["0", "999", "1.23 k", "99.9 k", "1.50 M", "2.00 G", "1.00e+13"]);
});

test("progress is what left the sources, however their chains go on", () => {
  const vertex = (name: string, ...subtasks: Record<string, number>[]) => ({ vertexId: name, name, parallelism: subtasks.length, subtasks });
  assert.equal(processedRecords([
    vertex("Source: a -> Filter -> Sink: x", { "Source: a.numRecordsOut": 10, numRecordsOut: 0 }, { "Source: a.numRecordsOut": 5 }),
    vertex("Source: b", { "Source: b.numRecordsOut": 1, numRecordsOut: 1 }), vertex("Map", { numRecordsIn: 16 }),
  ]), 16);
});

test("an error is shown with code, place, hint and causes, without the engine's frames", () => {
  const cause = new RangeError("bad value");
  cause.stack = "RangeError: bad value\n    at parse (/home/me/job.ts:3:9)\n    at run (/x/node_modules/@millrace/runtime/dist/task.js:1:1)\n    at node:internal/main:1:1";
  const error = new MillraceError({
    code: "JOB_FAILED", message: "the job failed", cause: new MillraceError({
      code: "USER_FUNCTION_FAILED", message: "operator failed", hint: "look at it", location: { operator: "Parser", subtask: 2 }, cause,
    }),
  });
  error.stack = "MillraceError: the job failed\n    at end (/x/node_modules/@millrace/cluster/dist/job-master.js:1:1)";
  (error.cause as Error).stack = "MillraceError: operator failed\n    at Map.open (/home/me/job.ts:7:1)";
  assert.equal(renderError(error, false), [
    "error JOB_FAILED: the job failed", "  caused by USER_FUNCTION_FAILED: operator failed", "  operator: Parser, subtask 2", "  at /home/me/job.ts:7:1", "  hint: look at it",
    "  caused by RangeError: bad value", "  at parse (/home/me/job.ts:3:9)",
  ].join("\n"));
  assert.match(renderError(error, true), /runtime\/dist\/task\.js/);
  assert.equal(renderError("thrown", false), "error a value that is not an Error was thrown: thrown");
});

test("usage errors are told from failures of the job, wherever they stand in the chain of causes", () => {
  const wrong = new MillraceError({ code: "CHECKPOINT_NOT_FOUND", message: "no" });
  assert.equal(isUsageError(wrong), true);
  assert.equal(isUsageError(new MillraceError({ code: "JOB_FAILED", message: "failed", cause: wrong })), true);
  assert.equal(isUsageError(new MillraceError({ code: "JOB_FAILED", message: "failed", cause: new Error("x") })), false);
  assert.equal(isUsageError(new MillraceError({ code: "USER_FUNCTION_FAILED", message: "failed", cause: wrong })), false);
});

test("the watermark is that of the subtasks that still run", () => {
  const vertex = (...watermarks: (number | undefined)[]) => ({
    vertexId: "v", name: "v", parallelism: watermarks.length, subtasks: watermarks.map((ms): Record<string, number> => (ms === undefined ? {} : { currentOutputWatermark: ms })),
  });
  const end = Number.MAX_SAFE_INTEGER;
  assert.equal(formatWatermark([vertex(end, undefined)]), "none yet");
  assert.equal(formatWatermark([vertex(end, 60_000), vertex(0, end)]), "1970-01-01T00:00:00Z");
  assert.equal(formatWatermark([vertex(end, end)]), "end of input");
  assert.equal(formatWatermark([]), "none yet");
});
