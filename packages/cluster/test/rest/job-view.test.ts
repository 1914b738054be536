import assert from "node:assert/strict";
import { test } from "node:test";
import { CheckpointStatisticsTracker } from "../../src/checkpoint/checkpoint-statistics.js";
import { shapeWithoutPrototypes } from "./plain-data.js";
import { oneJob } from "./one-job.js";

test("a view is plain data, shows where a job stands, and does not change with it", async () => {
  const { master, slots, time, gateway } = await oneJob();
  try {
    const before = master.view();
    assert.deepEqual(structuredClone(before), shapeWithoutPrototypes(before));
    assert.equal(before.status, "RUNNING");
    const { current, earlier } = before.vertices[0]!.subtasks[0]!;
    assert.deepEqual([current.state, current.attemptNumber, earlier.length, current.location.taskManagerId], ["RUNNING", 0, 0, "embedded"]);
    assert.ok(current.timestamps.CREATED !== undefined && current.timestamps.DEPLOYING !== undefined && current.timestamps.RUNNING !== undefined);
    slots.fail("map", 1);
    await assert.rejects(time.runUntil(master.result));
    assert.equal(before.status, "RUNNING");
    const after = master.view();
    assert.deepEqual([after.status, after.exceptions.length, after.exceptions[0]!.attemptNumber], ["FAILED", 1, 0]);
    assert.equal((await gateway.jobOutcome(after.jobGraph.jobId))!.status, "FAILED");
  } finally {
    gateway.close();
  }
});

test("checkpoint statistics count everything and remember the last ten", () => {
  const tracker = new CheckpointStatisticsTracker();
  const attempt = { vertexId: "v", subtaskIndex: 0, attemptNumber: 0 };
  const metrics = { alignmentDurationMs: 1, syncDurationMs: 2, asyncDurationMs: 3, startDelayMs: 4, unaligned: false, persistedBytes: 0, processedBytes: 0 };
  for (let id = 1; id <= 12; id++) {
    tracker.triggered(id, id * 100, [attempt]);
    tracker.acknowledged(id, attempt, id * 10, metrics, id * 100 + 5);
    if (id % 4 === 0) tracker.failed(id, "why", id * 100 + 9);
    else if (id !== 11) tracker.completed(id, `/chk-${id}`, id * 100 + 7);
  }
  tracker.acknowledged(1, attempt, 1, metrics, 1);
  tracker.restored(10, "/chk-10", 2000);
  const view = tracker.view((path) => path === "/chk-10");
  assert.deepEqual(view.counts, { restored: 1, total: 12, inProgress: 1, completed: 8, failed: 3 });
  assert.deepEqual(view.history.map(({ checkpointId }) => checkpointId), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  assert.deepEqual([view.latest.completed!.checkpointId, view.latest.failed!.failure, view.latest.restored!.checkpointId], [10, "why", 10]);
  assert.deepEqual(view.history.filter(({ status }) => status === "COMPLETED").map(({ discarded }) => discarded), [false, true, true, true, true, true]);
  assert.deepEqual(view.completed.at(-1), { stateBytes: 100, durationMs: 7, persistedBytes: 0, processedBytes: 0 });
});
