import assert from "node:assert/strict";
import { appendFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { Encoder } from "@toondepauw/node-zstd";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { isMillraceError } from "@millrace/core";
import type { MillraceError } from "@millrace/core";
import { FileSource } from "../../src/index.js";
import type { FileSourceSplit, MalformedRecord, RecordFormat } from "../../src/index.js";
import { ChoppyFileSystem } from "../support/choppy-file-system.js";
import { readAll, SourceDriver } from "../support/source-driver.js";
import type { Snapshot } from "../support/source-driver.js";
import { withTempDir, writeFiles } from "../support/temp-dir.js";

async function failure(run: Promise<unknown>): Promise<MillraceError> {
  try {
    await run;
  } catch (error) {
    assert.ok(isMillraceError(error), String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "it did not fail" });
}

async function linesOf(path: string, options = {}): Promise<string[]> {
  return (await readAll(FileSource.lines(path, options))).records;
}

test("lines: line ends, empty lines, a last line without newline, BOM, empty files", () =>
  withTempDir(async (dir) => {
    const [crlf, bom, empty, onlyBom, unterminated] = writeFiles(dir, {
      crlf: "a\r\n\r\nb\r\n", bom: "\uFEFFx\ny\n", empty: "", onlyBom: "\uFEFF", unterminated: "größe\n日本",
    });
    assert.deepEqual(await linesOf(crlf!), ["a", "", "b"]);
    assert.deepEqual(await linesOf(bom!), ["x", "y"]);
    assert.deepEqual(await linesOf(empty!), []);
    assert.deepEqual(await linesOf(onlyBom!), []);
    assert.deepEqual(await linesOf(unterminated!), ["größe", "日本"]);
    assert.deepEqual(await linesOf(unterminated!, { encoding: "latin1" }), ["grÃ¶Ã\u009fe", "æ\u0097¥æ\u009c¬"]);
  }));

test("invalid UTF-8 is replaced, or a malformed record with its place", () =>
  withTempDir(async (dir) => {
    const [path] = writeFiles(dir, { bad: Buffer.from([97, 10, 98, 195, 182, 0xff, 99, 10, 100, 10]) });
    assert.deepEqual(await linesOf(path!), ["a", "bö\uFFFDc", "d"]);
    const error = await failure(linesOf(path!, { invalidUtf8: "malformed" }));
    assert.equal(error.code, "RECORD_MALFORMED");
    assert.deepEqual(error.location, { file: path, line: 2, column: 3 });
    assert.deepEqual(await linesOf(path!, { invalidUtf8: "malformed", onError: "skip" }), ["a", "d"]);
  }));

test("compressed files are read by suffix, also in several members; damaged ones fail", () =>
  withTempDir(async (dir) => {
    const text = Array.from({ length: 50_000 }, (_, i) => `line ${i}`).join("\n");
    const zstd = new Encoder(3);
    const [gz, members, deflate, torn, noise, zst, frames, tornZst, noiseZst, emptyZst, xz] = writeFiles(dir, {
      "a.gz": gzipSync(text), "b.gz": Buffer.concat([gzipSync("a\n"), gzipSync("b\n")]), "c.deflate": deflateSync("x\ny"),
      "torn.gz": gzipSync(text).subarray(0, 5000), "noise.gz": "not gzip at all", "d.zst": zstd.encodeSync(Buffer.from(text)),
      "e.zstd": Buffer.concat([zstd.encodeSync(Buffer.from("a\n")), zstd.encodeSync(Buffer.from("b\n"))]), "torn.zst": zstd.encodeSync(Buffer.from(text)).subarray(0, 5000), "noise.zst": "not Zstandard at all", "empty.zst": "",
      "f.xz": "?",
    });
    assert.equal((await linesOf(gz!)).join("\n"), text);
    assert.deepEqual(await linesOf(members!), ["a", "b"]);
    assert.deepEqual(await linesOf(deflate!), ["x", "y"]);
    assert.equal((await failure(linesOf(torn!))).code, "FILE_CORRUPT");
    assert.equal((await failure(linesOf(noise!))).code, "FILE_CORRUPT");
    assert.equal((await linesOf(zst!)).join("\n"), text);
    assert.deepEqual(await linesOf(frames!), ["a", "b"]);
    assert.deepEqual(await linesOf(emptyZst!), []);
    assert.equal((await failure(linesOf(tornZst!))).code, "FILE_CORRUPT");
    assert.equal((await failure(linesOf(noiseZst!))).code, "FILE_CORRUPT");
    assert.equal((await failure(linesOf(xz!))).code, "FILE_COMPRESSION_UNSUPPORTED");
    assert.deepEqual(await linesOf(noise!, { compression: "none" }), ["not gzip at all"]);
  }));

test("a record longer than the limit fails with file and line, also in a split that begins in mid-file", () =>
  withTempDir(async (dir) => {
    const [path] = writeFiles(dir, { f: `${"ab\n".repeat(100)}${"x".repeat(500)}\nend\n` });
    for (const splitSizeBytes of [64, 1 << 20]) {
      const error = await failure(linesOf(path!, { maxRecordBytes: 100, splitSizeBytes }));
      assert.equal(error.code, "RECORD_TOO_LARGE");
      assert.deepEqual(error.location, { file: path, line: 101 });
    }
    assert.equal((await linesOf(path!, { maxRecordBytes: 501 })).length, 102);
  }));

test("large files are split among the readers, small ones are not, and the largest come first", () =>
  withTempDir(async (dir) => {
    writeFiles(dir, { "a.txt": "1\n".repeat(100), "b.txt": "2\n".repeat(1000), "c.gz": gzipSync("3\n".repeat(5000)) });
    const driver = await readAll(FileSource.lines(dir, { splitSizeBytes: 512 }), 3);
    assert.equal(driver.records.length, 6100);
    assert.deepEqual(driver.assigned.slice(0, 4).map((a) => a.splitId.slice(dir.length)), ["/b.txt:0-512", "/b.txt:512-1024", "/b.txt:1024-1536", "/b.txt:1536-2000"]);
    assert.deepEqual(new Set(driver.assigned.map((a) => a.subtask)), new Set([0, 1, 2]));
    assert.deepEqual([...driver.released].sort(), driver.assigned.map((a) => a.splitId).sort());
  }));

test("CSV: types flow from the columns, in any order, and the header is found in every split", () =>
  withTempDir(async (dir) => {
    const rows = Array.from({ length: 500 }, (_, i) => `${i},n${i},${i % 2 === 0},${i % 5 === 0 ? "" : i / 4},2024-02-29 12:00`);
    const [path] = writeFiles(dir, { "f.csv": `# a comment, "with a quote\n\nid,name,even,quarter,at,\n${rows.map((r) => `${r},\n`).join("")}` });
    const source = FileSource.csv(path!, {
      columns: { even: "boolean", id: "int", quarter: "number?", at: "timestamp", name: (text) => text.length }, comment: "#", quotedNewlines: false, splitSizeBytes: 100,
    });
    const driver = await readAll(source, 2);
    const records: { even: boolean; id: number; quarter: number | null; at: number; name: number }[] = driver.records;
    records.sort((a, b) => a.id - b.id);
    assert.equal(records.length, 500);
    assert.deepEqual(records[7], { even: false, id: 7, quarter: 1.75, at: Date.UTC(2024, 1, 29, 12), name: 2 });
    assert.equal(records[5]!.quarter, null);
    const untyped: Record<string, string>[] = (await readAll(FileSource.csv(path!, { comment: "#" }))).records;
    assert.deepEqual(untyped[1], { id: "1", name: "n1", even: "false", quarter: "0.25", at: "2024-02-29 12:00", "": "" });
  }));

test("CSV: a wrong header names what is missing and the nearest right name", () =>
  withTempDir(async (dir) => {
    const [path] = writeFiles(dir, { "f.csv": "id,nmae,extra\n1,a,b\n" });
    const error = await failure(readAll(FileSource.csv(path!, { columns: { id: "int", name: "string" } })));
    assert.equal(error.code, "CSV_HEADER_MISMATCH");
    assert.match(error.message, /lacks the column "name" \(did you mean "nmae"\?\) and has the columns "nmae" \(did you mean "name"\?\), "extra"/);
    const strict = await failure(readAll(FileSource.csv(path!, { columns: { id: "int", nmae: "string" }, unknownColumns: "fail" })));
    assert.match(strict.message, /has the column "extra" that is not declared/);
    assert.throws(() => FileSource.csv(path!, { header: false }), { code: "OPTION_INVALID" });
    assert.throws(() => FileSource.csv(path!, { columns: { id: "integer" as "int" } }), /unknown type "integer"/);
  }));

test("malformed records fail with file, line and column; or are skipped and counted; or go to the side output", () =>
  withTempDir(async (dir) => {
    const [csv, json] = writeFiles(dir, {
      "f.csv": 'id,name\n1,a\n2,"b\nb",x\nthree,c\n4\n5,"d\nd"\n', "f.jsonl": '{"a":1}\n\n{"a":2\n{"a":"x"}\n{"a":3}\n',
    });
    const columns = { id: "int", name: "string" } as const;
    const error = await failure(readAll(FileSource.csv(csv!, { columns })));
    assert.equal(error.code, "RECORD_MALFORMED");
    assert.deepEqual(error.location, { file: csv, line: 4, column: 4 });
    assert.match(error.message, /3 fields where there should be 2/);

    const skipped = await readAll(FileSource.csv(csv!, { columns, onError: "skip" }));
    assert.deepEqual(skipped.records, [{ id: 1, name: "a" }, { id: 5, name: "d\nd" }]);
    assert.equal(skipped.metrics.counter("numRecordsInErrors").count, 3);
    assert.deepEqual(skipped.sideOutputs, []);

    const aside = await readAll(FileSource.csv(csv!, { columns, onError: "side-output" }));
    assert.deepEqual(aside.records, skipped.records);
    assert.deepEqual(aside.sideOutputs.map((s) => s.tag), ["malformed-records", "malformed-records", "malformed-records"]);
    assert.deepEqual(aside.sideOutputs.map((s) => s.value), [
      { file: csv, line: 4, column: 4, text: '2,"b\nb",x', message: "3 fields where there should be 2" },
      { file: csv, line: 5, column: 1, text: "three,c", message: '"three" is not an int (column "id")' },
      { file: csv, line: 6, column: 2, text: "4", message: "1 field where there should be 2" },
    ]);

    const schema = z.object({ a: z.number() });
    const validated = await readAll(FileSource.jsonLines(json!, { validate: schema, onError: "side-output" }));
    const typed: { a: number }[] = validated.records;
    assert.deepEqual(typed, [{ a: 1 }, { a: 3 }]);
    const places = validated.sideOutputs.map((s) => s.value as MalformedRecord).map((m) => [m.line, m.column, m.message]);
    assert.deepEqual(places[0], [3, 7, "the JSON ends too early"]);
    assert.deepEqual(places[1]!.slice(0, 2), [4, 1]);
    assert.match(String(places[1]![2]), /^a: /);
    assert.equal((await failure(readAll(FileSource.jsonLines(json!)))).location.line, 3);
  }));

test("line numbers are right in splits that begin in mid-file and in compressed files", () =>
  withTempDir(async (dir) => {
    const text = Array.from({ length: 3000 }, (_, i) => (i % 500 === 499 ? "broken" : `{"i":${i}}`)).join("\r\n");
    const [plain, gz] = writeFiles(dir, { "f.jsonl": text, "f.jsonl.gz": gzipSync(text) });
    for (const path of [plain!, gz!]) {
      const driver = await readAll(FileSource.jsonLines(path, { onError: "side-output", splitSizeBytes: 1000 }), 2);
      assert.deepEqual(driver.sideOutputs.map((s) => (s.value as MalformedRecord).line).sort((a, b) => a - b), [500, 1000, 1500, 2000, 2500, 3000]);
    }
  }));

test("missing files are refused at the start with the nearest name", () =>
  withTempDir(async (dir) => {
    writeFiles(dir, { "data/flights.csv": "x\n", "data/other.csv": "x\n" });
    const error = await failure(readAll(FileSource.lines(`${dir}/data/fligths.csv`)));
    assert.equal(error.code, "FILE_NOT_FOUND");
    assert.match(error.message, /fligths\.csv/);
    assert.equal(error.hint, `did you mean "${dir}/data/flights.csv"?`);
    assert.equal((await failure(readAll(FileSource.lines(`${dir}/date/flights.csv`)))).hint, `did you mean "${dir}/data"?`);
    assert.match((await failure(readAll(FileSource.lines(`${dir}/*.txt`)))).message, /no file matches/);
  }));

test("a file that gets shorter while it is read is an error", () =>
  withTempDir(async (dir) => {
    const [path] = writeFiles(dir, { f: "a\nb\n" });
    const first = await new SourceDriver(FileSource.lines(path!)).start();
    const snapshot = await first.snapshot();
    await first.close();
    writeFiles(dir, { f: "a\n" });
    const second = await new SourceDriver(FileSource.lines(path!)).start({ ...snapshot, enumerator: JSON.stringify({ pending: [{ splitId: "s", path, startByte: 0, endByte: 4 }], knownPaths: [] }) });
    assert.equal((await failure(second.run())).code, "FILE_TRUNCATED");
    await second.close();
  }));

test("a watched directory: new files are read once, empty ones when they are filled, also after a restore", () =>
  withTempDir(async (dir) => {
    writeFiles(dir, { "1.txt": "a\nb\n", "2.txt": "", ".hidden": "no\n", "_tmp/x": "no\n" });
    const source = FileSource.lines([dir, `${dir}/1.txt`, `${dir}/later*`]).monitorContinuously("1 s");
    assert.equal(source.boundedness, "continuous-unbounded");
    const driver = await new SourceDriver(source, 2).start();
    await driver.runTo(2);
    appendFileSync(`${dir}/2.txt`, "c\n");
    writeFiles(dir, { "sub/3.txt": "d\n" });
    rmSync(`${dir}/1.txt`);
    await driver.rediscover();
    await driver.runTo(4);
    await driver.rediscover();
    assert.deepEqual([...driver.records].sort(), ["a", "b", "c", "d"]);
    const snapshot = await driver.snapshot();
    await driver.close();
    writeFiles(dir, { "4.txt": "e\n" });
    const restored = await new SourceDriver(source, 1).start(snapshot);
    await restored.runTo(1);
    assert.deepEqual(restored.records, ["e"]);
    await restored.close();
  }));

test("splits that come back are read by another reader; a paused split waits while others go on", () =>
  withTempDir(async (dir) => {
    const paths = writeFiles(dir, { a: "a\n".repeat(10), b: "b\n" });
    const driver = await new SourceDriver(FileSource.lines(paths)).start();
    const { reader } = driver.readers[0]!;
    while (driver.assigned.length === 0) await new Promise((resolve) => setImmediate(resolve));
    reader.pauseOrResumeSplits!([driver.assigned[0]!.splitId], []);
    reader.addSplits([{ splitId: "extra", path: paths[1]!, startByte: 0, endByte: 2 }]);
    await driver.runTo(1);
    assert.deepEqual(driver.records, ["b"]);
    reader.pauseOrResumeSplits!([], [driver.assigned[0]!.splitId]);
    await driver.run();
    assert.equal(driver.records.length, 12);
    await driver.close();
  }));

test("very short records come in batches of bounded size, and a restore goes on within a block", () =>
  withTempDir(async (dir) => {
    const lines = Array.from({ length: 30_000 }, (_, i) => String(i % 10));
    const [path] = writeFiles(dir, { f: lines.join("\n") });
    let restored: Snapshot | undefined;
    const records: string[] = [];
    const skips = new Set<number>();
    for (let ended = false; !ended; ) {
      const driver: SourceDriver<string> = await new SourceDriver(FileSource.lines(path!)).start(restored);
      if (restored !== undefined) assert.deepEqual((await driver.snapshot()).readers, restored.readers);
      ended = await driver.run(1);
      assert.ok(driver.records.length <= 2048);
      records.push(...driver.records);
      restored = await driver.snapshot();
      for (const split of JSON.parse(restored.readers[0]!) as FileSourceSplit[]) skips.add(split.position?.recordsToSkip ?? 0);
      await driver.close();
    }
    assert.deepEqual(records, lines);
    assert.ok(skips.size > 5);
  }));

test("any Standard Schema validator types and checks the records, at the column of the field", () =>
  withTempDir(async (dir) => {
    const [path] = writeFiles(dir, { "f.csv": "id,age\n1,30\n2,-5\n" });
    const columns = { id: "int", age: "int" } as const;
    const adult = z.object({ id: z.number(), age: z.number().min(0) }).transform((r) => ({ key: `k${r.id}` }));
    const byZod: FileSource<{ key: string }> = FileSource.csv(path!, { columns, validate: adult, onError: "side-output" });
    const byValibot: FileSource<{ age: number }> = FileSource.csv(path!, { columns, validate: v.object({ age: v.pipe(v.number(), v.minValue(0)) }), onError: "side-output" });
    const byArktype: FileSource<{ age: number }> = FileSource.csv(path!, { columns, validate: type({ age: "number >= 0" }), onError: "side-output" });
    for (const source of [byZod, byValibot, byArktype] as FileSource<unknown>[]) {
      const driver = await readAll(source);
      assert.equal(driver.records.length, 1);
      const { line, column, text } = driver.sideOutputs[0]!.value as MalformedRecord;
      assert.deepEqual({ line, column, text }, { line: 3, column: 3, text: "2,-5" });
    }
    assert.deepEqual((await readAll(byZod)).records, [{ key: "k1" }]);
    const asynchronous = z.object({}).refine(async () => true);
    assert.match((await failure(readAll(FileSource.csv(path!, { columns, validate: asynchronous })))).message, /asynchronous/);
  }));

test("a custom format plugs in: fixed-length records, split and restored like the others", () =>
  withTempDir(async (dir) => {
    const [path] = writeFiles(dir, { f: Uint8Array.from({ length: 400 }, (_, i) => i % 100) });
    const pairs: RecordFormat<number> = {
      name: "pairs", splittable: false,
      createDecoder: () => ({
        decode(bytes, _final, block) {
          const whole = bytes.length - (bytes.length % 2);
          for (let i = 0; i < whole; i += 2) block.values.push(bytes[i]! * 100 + bytes[i + 1]!);
          return whole;
        },
      }),
    };
    const fs = new ChoppyFileSystem(() => 3);
    const driver = await readAll(FileSource.forRecordFormat(pairs, path!, { splitSizeBytes: 10 }), 2, fs);
    assert.equal(driver.assigned.length, 1);
    assert.deepEqual(driver.records.slice(0, 3), [1, 203, 405]);
    assert.equal(driver.records.length, 200);
    const [odd] = writeFiles(dir, { odd: "abc" });
    assert.equal((await failure(readAll(FileSource.forRecordFormat(pairs, odd!)))).code, "FORMAT_CONTRACT");
  }));

test("CSV: only the rows with invalid UTF-8 are malformed, and the lines after them are counted right", () =>
  withTempDir(async (dir) => {
    const bytes = Buffer.concat([Buffer.from('id,t\n1,größe\n2,"x\n'), Buffer.from([0xff, 0x22, 10]), Buffer.from("3,日本\nfour,d\n")]);
    const [path] = writeFiles(dir, { "f.csv": bytes });
    const columns = { id: "int", t: "string" } as const;
    const driver = await readAll(FileSource.csv(path!, { columns, invalidUtf8: "malformed", onError: "side-output" }));
    assert.deepEqual(driver.records, [{ id: 1, t: "größe" }, { id: 3, t: "日本" }]);
    const places = driver.sideOutputs.map((s) => s.value as MalformedRecord).map((m) => [m.line, m.column, m.message]);
    assert.deepEqual(places, [[4, 1, "the row is not valid UTF-8"], [6, 1, '"four" is not an int (column "id")']]);
    assert.equal((await readAll(FileSource.csv(path!, { columns, onError: "skip" }))).records.length, 3);
  }));
