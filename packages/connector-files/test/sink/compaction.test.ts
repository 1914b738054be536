import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { BulkFormat, BulkWriterFactory } from "@millrace/core";
import { BucketAssigners, FileSink, RollingPolicies } from "../../src/index.js";
import type { FileSinkOptions } from "../../src/index.js";
import { filesBelow, SinkAttempt, visibleLines } from "../support/sink-driver.js";
import type { SinkCheckpoint } from "../support/sink-driver.js";
import { withTempDir } from "../support/temp-dir.js";

const everywhere: FileSinkOptions<any> = { bucketAssigner: BucketAssigners.basePath(), rollingPolicy: RollingPolicies.onCheckpoint() };

/** A file that is only whole with its last line: count of the lines before. */
const counted: BulkWriterFactory<string> = {
  name: "counted lines", suffix: ".counted",
  createWriter: () => {
    let text = "";
    let count = 0;
    return {
      get encodedBytes() { return text.length; }, get bufferedBytes() { return text.length; },
      addElement: (value) => void ((text += `${value}\n`), count++),
      takeBytes: () => {
        const bytes = Buffer.from(text);
        text = "";
        return bytes;
      },
      finish: () => Buffer.from(`${text}# ${count}\n`),
    };
  },
};
const countedFormat: BulkFormat<string> = {
  name: "counted lines", splittable: false,
  open: async ({ fs, path }) => {
    const lines = Buffer.from(await fs.readFile(path)).toString().split("\n").slice(0, -1);
    assert.equal(lines.pop(), `# ${lines.length}`);
    let given = false;
    return {
      next: async () => (given ? undefined : ((given = true), { startByte: 0, rowCount: lines.length, records: (from, to) => lines.slice(from, to) })),
      close: async () => undefined,
    };
  },
};

test("parts wait until they are merged, and are visible once", () =>
  withTempDir(async (dir) => {
    const sink = FileSink.csv<{ n: number }>(dir, { ...everywhere, columns: ["n"], compaction: { everyCheckpoints: 3 } });
    const job = await new SinkAttempt(sink, 1, 0, undefined).start();
    for (let id = 1; id <= 7; id++) {
      await job.write({ n: id }, 0);
      await job.commit((await job.checkpoint(id, id, id === 7))!.committables);
      assert.equal(visibleLines(dir).filter((line) => line !== "n").length, id === 7 ? 7 : id - (id % 3));
    }
    await job.close();
    // Headers stand once in each.
    assert.deepEqual(filesBelow(dir).map((f) => readFileSync(join(dir, f), "utf8")).sort(), ["n\n1\n2\n3\n", "n\n4\n5\n6\n", "n\n7\n"]);
  }));

test("the size brings merging forward; what waits survives failures and the end of compaction", () =>
  withTempDir(async (dir) => {
    const make = (compaction?: FileSinkOptions<string>["compaction"]): FileSink<string> => FileSink.lines<string>(dir, { ...everywhere, ...(compaction === undefined ? {} : { compaction }) });
    const job = await new SinkAttempt(make({ everyCheckpoints: 100, sizeThresholdBytes: 12 }), 1, 0, undefined).start();
    const checkpoints: SinkCheckpoint[] = [];
    for (let id = 1; id <= 4; id++) {
      await job.write(`row ${id}`, 0);
      checkpoints.push((await job.checkpoint(id, id, false))!);
      if (id < 4) await job.commit(checkpoints[id - 1]!.committables);
    }
    await job.close();
    assert.deepEqual(visibleLines(dir), ["row 1", "row 2"]);
    // Checkpoint 4, which merged rows 3 and 4, is lost.
    const again = await new SinkAttempt(make({ everyCheckpoints: 100 }), 1, 1, 3).start(checkpoints[2]);
    await again.write("row 4 again", 0);
    await again.commit((await again.checkpoint(5, 5, false))!.committables);
    const held = (await again.checkpoint(6, 6, false))!;
    await again.commit(held.committables);
    await again.close();
    assert.deepEqual(visibleLines(dir), ["row 1", "row 2"]);
    // Another job takes it over, without compaction: the first one's files stay.
    const other = await new SinkAttempt(make(), 1, 0, 6, "job-b").start(held);
    await other.commit((await other.checkpoint(7, 7, true))!.committables);
    await other.close();
    assert.deepEqual(visibleLines(dir).sort(), ["row 1", "row 2", "row 3", "row 4 again"]);
    assert.equal(filesBelow(dir).filter((f) => f.endsWith(".inprogress")).length, 2);
  }));

test("a checkpoint whose waiting parts a later one has merged is refused", () =>
  withTempDir(async (dir) => {
    const sink = FileSink.lines<string>(dir, { ...everywhere, compaction: { everyCheckpoints: 2 } });
    const job = await new SinkAttempt(sink, 1, 0, undefined).start();
    await job.write("row 1", 0);
    const first = (await job.checkpoint(1, 1, false))!;
    await job.write("row 2", 0);
    await job.commit((await job.checkpoint(2, 2, false))!.committables);
    await job.close();
    assert.deepEqual(visibleLines(dir), ["row 1", "row 2"]);
    for (const jobId of ["job-a", "job-b"]) await assert.rejects(new SinkAttempt(sink, 1, 1, 1, jobId).start(first), { code: "FILE_SINK_PART_LOST" });
  }));

test("files that are written as a whole: every checkpoint closes them, and they are merged record by record", () =>
  withTempDir(async (dir) => {
    for (const [folder, compaction] of [["plain", undefined], ["merged", { everyCheckpoints: 2, format: countedFormat }]] as const) {
      const target = join(dir, folder);
      const sink = FileSink.forBulkFormat(target, counted, { bucketAssigner: BucketAssigners.basePath(), rollingPolicy: RollingPolicies.default(), ...(compaction === undefined ? {} : { compaction }) });
      const job = await new SinkAttempt(sink, 1, 0, undefined).start();
      for (let id = 1; id <= 4; id++) {
        await job.write(`a${id}`, 0);
        await job.write(`b${id}`, 0);
        const checkpoint = (await job.checkpoint(id, id, false))!;
        assert.deepEqual(JSON.parse(checkpoint.writers[0]!).inProgress, []);
        await job.commit(checkpoint.committables);
      }
      await job.close();
      const contents = filesBelow(target).map((f) => readFileSync(join(target, f), "utf8")).sort();
      assert.deepEqual(contents, folder === "plain" ? [1, 2, 3, 4].map((i) => `a${i}\nb${i}\n# 2\n`) : ["a1\nb1\na2\nb2\n# 4\n", "a3\nb3\na4\nb4\n# 4\n"]);
      assert.ok(filesBelow(target).every((f) => f.endsWith(".counted")));
    }
  }));

test("options are checked", () => {
  assert.throws(() => FileSink.lines("x", { compaction: { everyCheckpoints: 0 } }), { code: "OPTION_INVALID" });
  assert.throws(() => FileSink.csv<{ a: 1 }>("x", { columns: ["a"], compression: "gzip", compaction: {} }), { code: "OPTION_INVALID", message: /compressed files with a header/ });
});
