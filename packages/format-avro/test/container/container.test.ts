import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { WatermarkStrategy } from "@millrace/core";
import { BucketAssigners, FileSink, FileSource } from "@millrace/connector-files";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { LocalFileSystem } from "@millrace/env-node";
import { MiniCluster } from "@millrace/testkit";
import { avroTool, avroToolsMissing } from "../../../../tools/services/avro/avro-tools.js";
import { avroFormat, avroWriter } from "../../src/index.js";
import type { AvroCodec, AvroDefinition } from "../../src/index.js";

interface Row {
  readonly id: bigint;
  readonly text: string;
}
const schema: AvroDefinition = { type: "record", name: "Row", fields: [{ name: "id", type: "long" }, { name: "text", type: "string" }] };
const rows = (count: number): Row[] => Array.from({ length: count }, (_, i) => ({ id: BigInt(i) * 2n ** 50n, text: `text ${i % 7} of row ${i}` }));
const codecs: readonly AvroCodec[] = ["null", "deflate", "snappy", "zstandard"];
const plain = (list: readonly Row[]): Row[] => list.map((row) => ({ ...row }));

const miniCluster = new MiniCluster();
const dir = mkdtempSync(join(tmpdir(), "millrace-avro-"));
before(() => miniCluster.start());
after(async () => {
  await miniCluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

function fileOf(list: readonly Row[], codec: AvroCodec = "null", blockSizeBytes?: number): string {
  const writer = avroWriter<Row>(schema, { codec, ...(blockSizeBytes === undefined ? {} : { blockSizeBytes }) }).createWriter();
  const parts: Uint8Array[] = [];
  for (const row of list) {
    writer.addElement(row);
    if (writer.encodedBytes > 0) parts.push(writer.takeBytes());
  }
  parts.push(writer.finish());
  const path = join(mkdtempSync(join(dir, "file-")), "rows.avro");
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** All rows of the splits cut at `cuts`, with a restart after every `rowsBeforeRestart` rows. */
async function read(path: string, cuts: readonly number[] = [], rowsBeforeRestart = Number.POSITIVE_INFINITY): Promise<Row[]> {
  const fs = new LocalFileSystem();
  const sizeBytes = readFileSync(path).length;
  const found: Row[] = [];
  const edges = [0, ...[...cuts].sort((a, b) => a - b), sizeBytes];
  for (let i = 0; i + 1 < edges.length; i++) {
    let resumeAt: number | undefined;
    let skip = 0;
    for (let more = true; more; ) {
      more = false;
      const reader = await avroFormat<Row>().open({ fs, path, sizeBytes, startByte: edges[i]!, endByte: edges[i + 1]!, resumeAt });
      let taken = 0;
      for (let block = await reader.next(); block !== undefined; block = await reader.next()) {
        const to = Math.min(block.rowCount, skip + rowsBeforeRestart - taken);
        found.push(...block.records(skip, to));
        taken += to - skip;
        if (taken >= rowsBeforeRestart) {
          [resumeAt, skip, more] = [block.startByte, to, true];
          break;
        }
        skip = 0;
      }
      await reader.close();
    }
  }
  return plain(found);
}

for (const codec of codecs) {
  test(`files compressed with ${codec} are read back, in any splits, from any row`, async () => {
    const all = rows(400);
    const path = fileOf(all, codec, 700);
    const { length } = readFileSync(path);
    assert.deepEqual(await read(path), all);
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(length - 1), { maxLength: 5 }), fc.integer({ min: 1, max: 500 }), async (cuts, restart) => {
      assert.deepEqual(await read(path, cuts, restart), all);
    }), { numRuns: 25 });
  });
}

test("a file cut short or damaged fails with file and offset", async () => {
  const whole = readFileSync(fileOf(rows(100), "snappy", 500));
  const path = join(dir, "damaged.avro");
  for (const length of [3, 20, whole.length - 1, whole.length - 100]) {
    writeFileSync(path, whole.subarray(0, length));
    await assert.rejects(read(path), { code: "FILE_CORRUPT", location: { file: path } }, String(length));
  }
  const changed = Buffer.from(whole);
  changed[whole.length - 60]! ^= 255;
  writeFileSync(path, changed);
  await assert.rejects(read(path), { code: "FILE_CORRUPT", message: /at byte \d+/ });
  writeFileSync(path, "not Avro at all");
  await assert.rejects(read(path), { code: "FILE_CORRUPT", message: /does not begin with/ });
  writeFileSync(path, Buffer.concat([whole.subarray(0, 4), Buffer.from(whole.toString("latin1").slice(4).replace("snappy", "bzip22"), "latin1")]));
  await assert.rejects(read(path), { code: "FILE_COMPRESSION_UNSUPPORTED", message: /bzip22/ });
});

test("options are checked", () => {
  assert.throws(() => avroWriter(schema, { codec: "lz4" as never }), { code: "OPTION_INVALID" });
  assert.throws(() => avroWriter(schema, { blockSizeBytes: 0 }), { code: "OPTION_INVALID" });
  assert.throws(() => avroWriter(schema, { metadata: { "avro.x": "" } }), { code: "OPTION_INVALID" });
});

test("a job writes files and another reads them in splits, with a newer schema", async () => {
  const all = rows(5000);
  const target = join(dir, "out");
  const writing = StreamExecutionEnvironment.getExecutionEnvironment();
  writing.setParallelism(2);
  writing.fromData(all).rebalance().sinkTo(FileSink.forBulkFormat(target, avroWriter<Row>(schema, { codec: "deflate" }), { bucketAssigner: BucketAssigners.basePath() }));
  await writing.execute();
  assert.ok(readdirSync(target).every((name) => name.endsWith(".avro")));
  const reading = StreamExecutionEnvironment.getExecutionEnvironment();
  reading.setParallelism(2);
  const newer: AvroDefinition = { type: "record", name: "Row", fields: [{ name: "text", type: "string" }, { name: "more", type: "int", default: 3 }] };
  const source = FileSource.forBulkFileFormat(avroFormat<{ text: string; more: number }>({ schema: newer }), target, { splitSizeBytes: 20_000 });
  const read = await reading.fromSource(source, WatermarkStrategy.noWatermarks(), "Avro").executeAndCollect();
  assert.deepEqual(read.map((row) => `${row.text} ${row.more}`).sort(), all.map((row) => `${row.text} 3`).sort());
});

const skip = avroToolsMissing() ?? false;

for (const codec of codecs) {
  test(`Avro's own tools read what is written with ${codec}, and the other way round`, { skip }, async () => {
    const all = rows(200);
    const path = fileOf(all, codec, 1000);
    const text = avroTool(["tojson", path]);
    assert.deepEqual(text.trim().split("\n").map((line) => JSON.parse(line) as { id: number; text: string }).map((row) => row.text), all.map((row) => row.text));
    const input = join(dir, "input.json");
    writeFileSync(input, all.map((row) => `{"id": ${row.id}, "text": "${row.text}"}`).join("\n"));
    const theirs = join(dir, `theirs-${codec}.avro`);
    const output = avroToolBytes(["fromjson", "--schema", JSON.stringify(schema), "--codec", codec, input]);
    writeFileSync(theirs, output);
    assert.deepEqual(await read(theirs), all);
  });
}

function avroToolBytes(args: readonly string[]): Buffer {
  return Buffer.from(avroTool(args, "", "latin1"), "latin1");
}
