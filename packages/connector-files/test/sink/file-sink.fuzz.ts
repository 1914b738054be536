import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FileSink, RollingPolicies } from "../../src/index.js";
import { filesBelow, SinkAttempt, visibleLines } from "../support/sink-driver.js";
import type { SinkCheckpoint } from "../support/sink-driver.js";
import { withTempDir } from "../support/temp-dir.js";

// Invariants, whatever fails where and with whatever parallelism the job comes back:
// - at the end the visible rows are exactly the input, once each, and no unfinished file of the job is left;
// - every bucket is marked complete at the end, and the notes of the subtasks are gone;
// - at every moment each visible row has been covered by a completed checkpoint, and no row is visible twice.

const failurePoints = ["write", "flush", "prepareCommit", "snapshot", "complete", "half of commit", "commit"] as const;
type FailurePoint = (typeof failurePoints)[number];
interface Attempt {
  readonly parallelism: number;
  readonly checkpoints: readonly number[];
  readonly failAt: FailurePoint;
  readonly idleMs: number;
}
const attempt: fc.Arbitrary<Attempt> = fc.record({
  parallelism: fc.integer({ min: 1, max: 4 }),
  /** Records between checkpoints; the attempt fails at the last one. */
  checkpoints: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 }),
  failAt: fc.constantFrom(...failurePoints),
  idleMs: fc.constantFrom(0, 0, 30_000, 90_000),
});

/** Runs one attempt; `undefined` when it finished the input, else the checkpoint the next one starts from. */
async function run(sink: FileSink<string>, input: readonly string[], dir: string, how: Attempt, number: number, from: SinkCheckpoint | undefined, nextId: () => number): Promise<{ last: SinkCheckpoint | undefined; ended: boolean }> {
  const job = await new SinkAttempt(sink, how.parallelism, number, from?.id).start(from);
  let last = from;
  let offset = from?.offset ?? 0;
  try {
    for (const [i, count] of how.checkpoints.entries()) {
      const fails = i === how.checkpoints.length - 1 ? how.failAt : undefined;
      for (let k = 0; k < count && offset < input.length; k++, offset++) await job.write(input[offset]!, offset);
      await job.time.advance(how.idleMs);
      if (fails === "write") return { last, ended: false };
      const end = offset === input.length;
      const checkpoint = await job.checkpoint(nextId(), offset, end, fails === "flush" || fails === "prepareCommit" ? fails : undefined);
      if (checkpoint === undefined || fails === "snapshot") return { last, ended: false };
      last = checkpoint;
      if (fails === "complete") return { last, ended: false };
      await job.commit(checkpoint.committables, fails === "half of commit" ? Math.floor(checkpoint.committables.length / 2) : undefined);
      const visible = visibleLines(dir);
      const covered = new Set(input.slice(0, offset));
      assert.ok(visible.every((row) => covered.has(row)) && new Set(visible).size === visible.length);
      if (fails === "half of commit" && checkpoint.committables.length > 0) return { last, ended: false };
      if (end) return { last, ended: true };
    }
    return { last, ended: false };
  } finally {
    await job.close();
  }
}

test("exactly once through failures at every step and rescaling", () =>
  fc.assert(fc.asyncProperty(
    fc.integer({ min: 0, max: 60 }), fc.array(attempt, { maxLength: 6 }), fc.integer({ min: 1, max: 60 }), fc.boolean(), fc.constantFrom("none" as const, "gzip" as const, "zstd" as const),
    fc.option(fc.record({ everyCheckpoints: fc.integer({ min: 1, max: 3 }), sizeThresholdBytes: fc.constantFrom(40, 1 << 20) }), { nil: undefined }), fc.boolean(),
    (size, attempts, maxPartSizeBytes, rollOnCheckpoint, compression, compaction, marks) => withTempDir(async (dir) => {
      const input = Array.from({ length: size }, (_, i) => `row ${i}`);
      const sink = FileSink.lines<string>(dir, {
        bucketAssigner: (row) => ["", "b", "c/d"][row.length % 3]!, rollingPolicy: RollingPolicies.default({ maxPartSizeBytes, rollOnCheckpoint }), compression,
        ...(compaction === undefined ? {} : { compaction }), ...(marks ? { partitionCommit: { delay: "40 s" } } : {}),
      });
      let id = 0;
      let last: SinkCheckpoint | undefined;
      let ended = false;
      let number = 0;
      for (const how of [...attempts, { parallelism: 2, checkpoints: [1000, 0], failAt: "commit" as const, idleMs: 0 }]) {
        ({ last, ended } = await run(sink, input, dir, how, number++, last, () => ++id));
        if (ended) break;
      }
      assert.ok(ended);
      assert.deepEqual(visibleLines(dir).sort(), [...input].sort());
      const files = filesBelow(dir);
      assert.deepEqual(files.filter((f) => f.startsWith(".")), []);
      const folders = new Set(files.map((f) => f.slice(0, f.lastIndexOf("/") + 1)));
      assert.deepEqual(files.filter((f) => f.endsWith("_SUCCESS")).sort(), marks ? [...folders].map((folder) => `${folder}_SUCCESS`).sort() : []);
    })), { numRuns: 120, verbose: 1 }));
