import assert from "node:assert/strict";
import { test } from "node:test";
import { BucketAssigners, FileSink, RollingPolicies } from "../../src/index.js";
import type { CommittedPartition, PartitionCommitOptions } from "../../src/index.js";
import { filesBelow, SinkAttempt } from "../support/sink-driver.js";
import { withTempDir } from "../support/temp-dir.js";

interface Row {
  readonly dt: string;
  readonly hour: number;
}
const sinkOf = (dir: string, partitionCommit: PartitionCommitOptions): FileSink<Row> =>
  FileSink.jsonLines<Row>(dir, { bucketAssigner: BucketAssigners.hivePartitions(["dt", "hour"]), rollingPolicy: RollingPolicies.onCheckpoint(), partitionCommit });
const marked = (dir: string): string[] => filesBelow(dir).filter((f) => f.endsWith("_SUCCESS")).map((f) => f.replace("/_SUCCESS", "").replace("dt=2026-01-01/hour=", ""));
const atHour = (hour: number): Row => ({ dt: "2026-01-01", hour });
const hourMs = (hour: number): number => Date.UTC(2026, 0, 1, hour);

test("by the partition's time: when the watermarks of all subtasks have passed it", () =>
  withTempDir(async (dir) => {
    const sink = sinkOf(dir, { trigger: "partition-time", delay: "1 h" });
    const job = await new SinkAttempt(sink, 2, 0, undefined).start();
    const step = async (id: number, watermarks: readonly number[], end = false): Promise<void> => {
      for (const [i, hour] of watermarks.entries()) job.writers[i]!.writeWatermark(hourMs(hour));
      await job.commit((await job.checkpoint(id, id, end))!.committables);
    };
    await job.write(atHour(5), 0);
    await job.write(atHour(6), 1);
    await step(1, [5, 5]);
    assert.deepEqual(marked(dir), []);
    // The first subtask is past hour 5, which the second has never seen; the second is not.
    await step(2, [7, 5]);
    assert.deepEqual(marked(dir), []);
    await step(3, [7, 6]);
    assert.deepEqual(marked(dir), ["5"]);
    await step(4, [8, 8]);
    assert.deepEqual(marked(dir), ["5", "6"]);
    await job.write(atHour(9), 0);
    await step(5, [8, 8], true);
    await job.close();
    assert.deepEqual(marked(dir), ["5", "6", "9"]);
    assert.deepEqual(filesBelow(dir).filter((f) => f.startsWith(".")), []);
  }));

test("by processing time; policies of one's own; a restart with another parallelism forgets none", () =>
  withTempDir(async (dir) => {
    const committed: CommittedPartition[] = [];
    const sink = sinkOf(dir, { delay: "1 min", successFileName: "DONE", policies: ["success-file", (partition) => void committed.push(partition)] });
    const job = await new SinkAttempt(sink, 2, 0, undefined).start();
    await job.write(atHour(1), 0);
    await job.write(atHour(2), 1);
    const first = (await job.checkpoint(1, 1, false))!;
    await job.commit(first.committables);
    await job.time.advance(30_000);
    await job.write(atHour(3), 1);
    const second = (await job.checkpoint(2, 2, false))!;
    await job.commit(second.committables);
    await job.close();
    assert.equal(committed.length, 0);
    const again = await new SinkAttempt(sink, 3, 1, 2).start(second);
    again.time.nowMs = job.time.nowMs;
    await again.time.advance(31_000);
    await again.commit((await again.checkpoint(3, 3, false))!.committables);
    assert.deepEqual(new Set(committed.map(({ bucketId }) => bucketId)), new Set(["dt=2026-01-01/hour=1", "dt=2026-01-01/hour=2"]));
    assert.deepEqual(new Set(committed.map(({ values }) => JSON.stringify(values))), new Set(['{"dt":"2026-01-01","hour":"1"}', '{"dt":"2026-01-01","hour":"2"}']));
    await again.time.advance(60_000);
    await again.commit((await again.checkpoint(4, 4, false))!.committables);
    await again.close();
    assert.deepEqual(filesBelow(dir).filter((f) => f.endsWith("DONE")).length, 3);
  }));

test("a partition whose rows still wait to be merged is not complete", () =>
  withTempDir(async (dir) => {
    const sink = FileSink.jsonLines<Row>(dir, {
      bucketAssigner: BucketAssigners.hivePartitions(["dt", "hour"]), rollingPolicy: RollingPolicies.onCheckpoint(), partitionCommit: {}, compaction: { everyCheckpoints: 2 },
    });
    const job = await new SinkAttempt(sink, 1, 0, undefined).start();
    await job.write(atHour(1), 0);
    await job.commit((await job.checkpoint(1, 1, false))!.committables);
    assert.deepEqual(marked(dir), []);
    await job.commit((await job.checkpoint(2, 2, false))!.committables);
    assert.deepEqual(marked(dir), ["1"]);
    await job.close();
  }));

test("options are checked, and a partition without a time says so", () =>
  withTempDir(async (dir) => {
    assert.throws(() => sinkOf(dir, { trigger: "never" as never }), { code: "OPTION_INVALID" });
    assert.throws(() => sinkOf(dir, { successFileName: "a/b" }), { code: "OPTION_INVALID" });
    const job = await new SinkAttempt(FileSink.lines<string>(dir, { bucketAssigner: (row) => row, partitionCommit: { trigger: "partition-time" } }), 1, 0, undefined).start();
    await job.write("x", 0);
    await assert.rejects(job.checkpoint(1, 1, false), { code: "PARTITION_INVALID" });
    await job.close();
  }));
