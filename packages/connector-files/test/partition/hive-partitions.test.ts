import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalFileSystem } from "@millrace/env-node";
import type { FileStatus } from "@millrace/core";
import { BucketAssigners, FileSink, FileSource, rawFormat } from "../../src/index.js";
import { partitionOf, partitionPath } from "../../src/partition/hive-partition.js";
import { filesBelow, SinkAttempt } from "../support/sink-driver.js";
import { readAll } from "../support/source-driver.js";
import { withTempDir, writeFiles } from "../support/temp-dir.js";

test("directories become columns; partitions that the filter refuses are not looked into", () =>
  withTempDir(async (dir) => {
    writeFiles(dir, {
      "t/dt=2026-01-01/hour=5/a.jsonl": '{"x":1}\n{"x":2}\n', "t/dt=2026-01-01/hour=6/a.jsonl": '{"x":3}\n', "t/dt=2026-01-02/hour=__HIVE_DEFAULT_PARTITION__/a.jsonl": '{"x":4}\n',
      "t/dt=2026-01-02/hour=7/_SUCCESS": "",
    });
    const listed: string[] = [];
    class Watching extends LocalFileSystem {
      override list(directory: string): Promise<FileStatus[]> {
        listed.push(directory.slice(dir.length));
        return super.list(directory);
      }
    }
    const source = FileSource.jsonLines<{ x: number }>(`${dir}/t`);
    const all = await readAll(source.withPartitions({ dt: "string", hour: "int?" }), 2);
    assert.deepEqual(all.records.sort((a, b) => a.x - b.x), [
      { x: 1, dt: "2026-01-01", hour: 5 }, { x: 2, dt: "2026-01-01", hour: 5 }, { x: 3, dt: "2026-01-01", hour: 6 }, { x: 4, dt: "2026-01-02", hour: null },
    ]);
    const some = await readAll(source.withPartitions({ dt: "string", hour: "int?" }, ({ hour }) => hour !== null && hour > 5), 1, new Watching());
    assert.deepEqual(some.records, [{ x: 3, dt: "2026-01-01", hour: 6 }]);
    assert.ok(!listed.includes("/t/dt=2026-01-01/hour=5"));
    const globbed = await readAll(FileSource.jsonLines<{ x: number }>(`${dir}/t/*/*/*.jsonl`).withPartitions({ hour: "int?" }, ({ hour }) => hour === 5));
    assert.deepEqual(globbed.records.map(({ x }) => x), [1, 2]);
    await assert.rejects(readAll(source.withPartitions({ hour: "int" })), { code: "PARTITION_INVALID", message: /hour=__HIVE_DEFAULT_PARTITION__/ });
    await assert.rejects(readAll(source.withPartitions({ day: "int" })), { code: "PARTITION_INVALID", message: /in no partition by day/ });
    await assert.rejects(readAll(source.withPartitions({ dt: "bigint" })), { code: "PARTITION_INVALID" });
    const typed = FileSource.csv(`${dir}/t`, { columns: { x: "int" } }).withPartitions({ hour: "bigint?" });
    assert.deepEqual(typed.producedType?.schema, { kind: "object", fields: { x: { kind: "number" }, hour: { kind: "nullable", of: { kind: "bigint" } } } });
  }));

test("rows are written to the directories that they are read from", () =>
  withTempDir(async (dir) => {
    const rows = [{ x: 1, dt: "a/b=c%", n: 5 }, { x: 2, dt: null, n: 6 }, { x: 3, dt: "ß", n: 5 }];
    const sink = FileSink.jsonLines<(typeof rows)[number]>(`${dir}/t`, { bucketAssigner: BucketAssigners.hivePartitions(["dt", "n"]) });
    const job = await new SinkAttempt(sink, 1, 0, undefined).start();
    for (const row of rows) await job.write(row, 0);
    await job.commit((await job.checkpoint(1, 0, true))!.committables);
    await job.close();
    assert.deepEqual(filesBelow(`${dir}/t`).map((f) => f.slice(0, f.lastIndexOf("/"))), ["dt=__HIVE_DEFAULT_PARTITION__/n=6", "dt=a%2Fb%3Dc%25/n=5", "dt=ß/n=5"]);
    const read = await readAll(FileSource.jsonLines<{ x: number }>(`${dir}/t`).withPartitions({ dt: "string?", n: "int" }));
    assert.deepEqual(read.records.sort((a, b) => a.x - b.x), rows);
    assert.equal(BucketAssigners.hivePartitions<Date>((value) => ({ day: value }))(new Date(0), { currentProcessingTimeMs: 0, timestampMs: undefined, currentWatermark: 0 }), "day=1970-01-01");
    assert.deepEqual(partitionOf(`/x/${partitionPath({ "k=": "v%41" })}/f`, { "k=": "string" }), { "k=": "v%41" });
  }));

test("raw bytes: a file is a record, or is cut into records of one length", () =>
  withTempDir(async (dir) => {
    const [path] = writeFiles(dir, { f: Buffer.from([1, 2, 3, 4, 5]) });
    assert.deepEqual((await readAll(FileSource.forRecordFormat(rawFormat(), path!))).records, [new Uint8Array([1, 2, 3, 4, 5])]);
    const skipping = await readAll(FileSource.forRecordFormat(rawFormat({ recordBytes: 2 }), path!, { onError: "skip" }));
    assert.deepEqual(skipping.records, [new Uint8Array([1, 2]), new Uint8Array([3, 4])]);
    await assert.rejects(readAll(FileSource.forRecordFormat(rawFormat({ recordBytes: 2 }), path!)), { code: "RECORD_MALFORMED", message: /last 1 bytes are no whole record/ });
    await assert.rejects(readAll(FileSource.forRecordFormat(rawFormat(), path!, { maxRecordBytes: 4 })), { code: "RECORD_TOO_LARGE" });
    assert.throws(() => rawFormat({ recordBytes: 0 }), { code: "OPTION_INVALID" });
  }));
