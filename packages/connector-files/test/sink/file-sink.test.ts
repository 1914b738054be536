import assert from "node:assert/strict";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LocalFileSystem } from "@millrace/env-node";
import type { FileStatus, FileWriter } from "@millrace/core";
import { BucketAssigners, csvEncoder, FileSink, FileSource, jsonLinesEncoder, RollingPolicies } from "../../src/index.js";
import { dateTimeFormatter } from "../../src/sink/date-time-format.js";
import { filesBelow, SinkAttempt, visibleLines } from "../support/sink-driver.js";
import { readAll } from "../support/source-driver.js";
import { withTempDir, writeFiles } from "../support/temp-dir.js";

const basePath = BucketAssigners.basePath<string>();

test("rows are invisible until their checkpoint is complete, and parts go on over checkpoints", () =>
  withTempDir(async (dir) => {
    const job = await new SinkAttempt(FileSink.lines<string>(`${dir}/out`, { bucketAssigner: basePath }), 1, 0, undefined).start();
    await job.write("a", 0);
    const first = await job.checkpoint(1, 1, false);
    assert.equal(first!.committables.length, 0);
    assert.equal(filesBelow(`${dir}/out`).length, 1);
    assert.match(filesBelow(`${dir}/out`)[0]!, /^\.part-[0-9a-f]{14}r0-0-0\.inprogress$/);
    await job.write("b", 0);
    await job.time.advance(60_000);
    await job.write("c", 0);
    const second = await job.checkpoint(2, 3, false);
    assert.equal(second!.committables.length, 1);
    assert.deepEqual(visibleLines(dir), []);
    await job.commit(second!.committables);
    assert.deepEqual(visibleLines(dir), ["a", "b"]);
    await job.commit(second!.committables);
    const last = await job.checkpoint(3, 3, true);
    assert.equal(last!.committables.length, 1);
    await job.commit(last!.committables);
    await job.close();
    assert.deepEqual(filesBelow(`${dir}/out`).map((f) => f.replace(/-[0-9a-f]{14}r/, "-u")), ["part-u0-0-0", "part-u0-0-1"]);
    assert.deepEqual(visibleLines(dir), ["a", "b", "c"]);
  }));

test("CSV and JSON lines, compressed or not, are read back as they were", () =>
  withTempDir(async (dir) => {
    const rows = [{ id: 1, text: 'a "b", c\n', at: new Date(0) }, { id: -0, text: "", at: null }, { id: 0.1, text: " x", at: null }];
    const write = async (sink: FileSink<any>): Promise<void> => {
      const job = await new SinkAttempt(sink, 2, 0, undefined).start();
      for (const [i, row] of rows.entries()) await job.write(row, i);
      await job.commit((await job.checkpoint(1, 0, true))!.committables);
      await job.close();
    };
    for (const [compression, suffix] of [["gzip", ".gz"], ["zstd", ".zst"], ["none", ""]] as const) {
      const csv = join(dir, compression);
      await write(FileSink.csv<(typeof rows)[number]>(csv, { columns: ["id", "text", "at"], bucketAssigner: BucketAssigners.basePath(), compression }));
      assert.ok(filesBelow(csv).every((f) => f.endsWith(`.csv${suffix}`)));
      const read = await readAll(FileSource.csv(csv, { columns: { id: "number", text: "string", at: "date?" } }));
      assert.deepEqual(read.records.sort((a, b) => b.id - a.id), [rows[0], rows[2], { ...rows[1], id: 0 }]);
    }
    await write(FileSink.jsonLines(`${dir}/json`, { partPrefix: "x", partSuffix: ".ndjson" }));
    assert.ok(filesBelow(`${dir}/json`).every((f) => /^2024-01-01--00\/x-.*\.ndjson$/.test(f)));
    assert.equal((await readAll(FileSource.jsonLines(`${dir}/json`))).records.length, 3);
  }));

test("encoders: what cannot be written is refused", () => {
  for (const bad of [undefined, () => 1, 5n]) assert.throws(() => jsonLinesEncoder().encode(bad), { code: "RECORD_NOT_ENCODABLE" });
  assert.throws(() => csvEncoder({ columns: [] }), { code: "OPTION_INVALID" });
  const csv = csvEncoder<Record<string, unknown>>({ columns: ["a", "b]"], delimiter: "]", header: true });
  assert.equal(csv.header, 'a]"b]"\n');
  assert.equal(csv.encode({ a: "x]y", "b]": { c: 1 } }), '"x]y"]"{""c"":1}"\n');
  assert.equal(csvEncoder<{ a?: string }>({ columns: ["a"] }).encode({}), '""\n');
});

test("buckets: date formats, event time, and no way out of the directory", () =>
  withTempDir(async (dir) => {
    const time = Date.UTC(2024, 2, 31, 0, 59, 30);
    assert.equal(dateTimeFormatter("yyyy-MM-dd--HH")(time), "2024-03-31--00");
    assert.equal(dateTimeFormatter("'dt='yyyyMMdd'/h'HH_mm", "Europe/Berlin")(time + 30_000), "dt=20240331/h03_00");
    for (const bad of ["", "YYYY", "yyyy'x", "day"]) assert.throws(() => dateTimeFormatter(bad), { code: "OPTION_INVALID" }, bad);
    assert.throws(() => dateTimeFormatter("yyyy", "Mars/Base"), { code: "OPTION_INVALID" });

    const context = { currentProcessingTimeMs: 0, timestampMs: undefined, currentWatermark: 0 };
    assert.equal(BucketAssigners.eventTime<number>({ timestampOf: (t) => t, format: "yyyy" })(time, context), "2024");
    assert.throws(() => BucketAssigners.eventTime()("x", context), { code: "BUCKET_NO_TIMESTAMP" });

    for (const bucket of ["..", "a/../b", "/etc", "a//b", "a/", ".hidden", "a\\b", "a\0"]) {
      const job = await new SinkAttempt(FileSink.lines<string>(dir, { bucketAssigner: () => bucket }), 1, 0, undefined).start();
      await assert.rejects(job.write("x", 0), { code: "BUCKET_INVALID" }, bucket);
      await job.close();
    }
    assert.throws(() => FileSink.lines(dir, { partPrefix: "../x" }), { code: "OPTION_INVALID" });
    assert.throws(() => FileSink.lines(dir, { partPrefix: ".x" }), { code: "OPTION_INVALID" });
  }));

test("leftovers of failed attempts go, files of others stay", () =>
  withTempDir(async (dir) => {
    const sink = FileSink.lines<string>(dir, { bucketAssigner: (row) => row, rollingPolicy: RollingPolicies.onCheckpoint() });
    const others = [".part-0123456789abcdr0-0-0.inprogress", "part-x", ".hidden"];
    writeFiles(dir, Object.fromEntries(others.map((f) => [f, "x"])));
    const other = await new SinkAttempt(sink, 1, 0, undefined, "job-b").start();
    await other.write("theirs", 0);
    await other.checkpoint(1, 0, false, "flush");
    // Two attempts fail before any checkpoint, the second with another parallelism.
    for (const [attempt, parallelism] of [[0, 3], [1, 1]] as const) {
      const job = await new SinkAttempt(sink, parallelism, attempt, undefined).start();
      for (let i = 0; i < 3; i++) await job.write(`b${i}`, i);
      await job.checkpoint(1, 0, false, "flush");
      await job.close();
    }
    const job = await new SinkAttempt(sink, 2, 2, undefined).start();
    const left = filesBelow(dir);
    assert.equal(left.length, 4);
    for (const file of others) assert.ok(left.includes(file));
    await job.close();
    await other.close();
  }));

test("a savepoint taken over by another job leaves the first one's files alone", () =>
  withTempDir(async (dir) => {
    const sink = FileSink.lines<string>(dir, { bucketAssigner: basePath });
    const first = await new SinkAttempt(sink, 1, 0, undefined, "job-a").start();
    await first.write("shared", 0);
    const savepoint = await first.checkpoint(1, 1, false);
    await first.write("first", 0);
    const second = await new SinkAttempt(sink, 1, 0, 1, "job-b").start(savepoint);
    await second.write("second", 0);
    for (const job of [first, second]) {
      await job.commit((await job.checkpoint(2, 2, true))!.committables);
      await job.close();
    }
    assert.deepEqual(visibleLines(dir).sort(), ["first", "second", "shared", "shared"]);
    // The first job has finished its file; its checkpointed start is still the savepoint's content.
    const third = await new SinkAttempt(sink, 1, 0, 1, "job-c").start(savepoint);
    await third.commit((await third.checkpoint(2, 1, true))!.committables);
    await third.close();
    assert.equal(visibleLines(dir).filter((row) => row === "shared").length, 3);
    assert.equal(visibleLines(dir).filter((row) => row === "first").length, 1);
  }));

test("lost, shortened and conflicting files are errors that say so", () =>
  withTempDir(async (dir) => {
    const sink = FileSink.lines<string>(dir, { bucketAssigner: basePath });
    const job = await new SinkAttempt(sink, 1, 0, undefined).start();
    await job.write("some rows", 0);
    const open = await job.checkpoint(1, 1, false);
    const closed = await job.checkpoint(2, 1, true);
    await job.close();
    const { inProgressPath, finalPath } = JSON.parse(closed!.committables[0]!) as { inProgressPath: string; finalPath: string };
    writeFileSync(finalPath, "not ours");
    await assert.rejects(job.commit(closed!.committables), { code: "FILE_SINK_PART_CONFLICT" });
    assert.equal(readFileSync(finalPath, "utf8"), "not ours");
    rmSync(finalPath);
    truncateSync(inProgressPath, 3);
    await assert.rejects(job.commit(closed!.committables), { code: "FILE_SINK_PART_LOST" });
    await assert.rejects(new SinkAttempt(sink, 1, 1, 1).start(open), { code: "FILE_SINK_PART_LOST" });
    rmSync(inProgressPath);
    await assert.rejects(job.commit(closed!.committables), /neither it nor .* is there: these rows are lost/);
    await assert.rejects(new SinkAttempt(sink, 1, 1, 1).start(open), { code: "FILE_SINK_PART_LOST" });
    await assert.rejects(new SinkAttempt(sink, 1, 1, 1, "job-b").start(open), { code: "FILE_SINK_PART_LOST" });
  }));

test("a part that a failed attempt renames at the same moment counts as committed", () =>
  withTempDir(async (dir) => {
    /** The other committer comes in right after the first look. */
    class Racing extends LocalFileSystem {
      before: ((path: string) => Promise<void>) | undefined;
      override async status(path: string): Promise<FileStatus | undefined> {
        const status = await super.status(path);
        const { before } = this;
        this.before = undefined;
        await before?.(path);
        return status;
      }
    }
    const fs = new Racing();
    const job = await new SinkAttempt(FileSink.lines<string>(dir, { bucketAssigner: basePath }), 1, 0, undefined, "job-a", fs).start();
    await job.write("a", 0);
    const { committables } = (await job.checkpoint(1, 1, true))!;
    fs.before = () => new LocalFileSystem().rename(JSON.parse(committables[0]!).inProgressPath, JSON.parse(committables[0]!).finalPath);
    await job.commit(committables);
    await job.close();
    assert.deepEqual(visibleLines(dir), ["a"]);
  }));

test("a failing disk fails the writer, and nothing is committed behind the gap", () =>
  withTempDir(async (dir) => {
    class FullDisk extends LocalFileSystem {
      override async create(path: string): Promise<FileWriter> {
        const writer = await super.create(path);
        return { positionBytes: 0, write: () => Promise.reject(new Error("disk full")), sync: () => writer.sync(), close: () => writer.close() };
      }
    }
    const job = await new SinkAttempt(FileSink.lines<string>(dir, { bucketAssigner: basePath }), 1, 0, undefined, "job-a", new FullDisk()).start();
    await job.write("a", 0);
    await assert.rejects(job.checkpoint(1, 1, true), /disk full/);
    await assert.rejects(job.write("b", 0), /disk full/);
    await assert.rejects(job.checkpoint(2, 1, true), /disk full/);
    await job.close();
    assert.ok(filesBelow(dir).every((f) => f.endsWith(".inprogress")));
  }));

test("much output reaches the file in order, without waiting for each row", () =>
  withTempDir(async (dir) => {
    const sink = FileSink.lines<string>(dir, { bucketAssigner: basePath, rollingPolicy: RollingPolicies.default({ maxPartSizeBytes: 1 << 20 }) });
    const job = await new SinkAttempt(sink, 1, 0, undefined).start();
    const writer = job.writers[0]!;
    let waits = 0;
    for (let i = 0; i < 200_000; i++) {
      const waiting = writer.write(`row number ${i} of many`, { timestamp: undefined, currentWatermark: 0 });
      if (waiting !== undefined && ++waits % 2 === 0) await waiting;
    }
    await job.commit((await job.checkpoint(1, 0, true))!.committables);
    await job.close();
    const files = filesBelow(dir).sort((a, b) => Number(/\d+$/.exec(a)![0]) - Number(/\d+$/.exec(b)![0]));
    assert.ok(files.length >= 5);
    const rows = files.flatMap((f) => readFileSync(join(dir, f), "utf8").split("\n").slice(0, -1));
    assert.equal(rows.length, 200_000);
    assert.ok(rows.every((row, i) => row === `row number ${i} of many`));
  }));
