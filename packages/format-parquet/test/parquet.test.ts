import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { LocalFileSystem } from "@millrace/env-node";
import type { BulkFormat, BulkWriterFactory } from "@millrace/core";
import { parquetFormat, parquetWriter } from "../src/index.js";
import type { ParquetColumns, ParquetCompression, ParquetRecord } from "../src/index.js";

const dir = mkdtempSync(join(tmpdir(), "millrace-parquet-"));
after(() => rmSync(dir, { recursive: true, force: true }));
let files = 0;

function write<T>(factory: BulkWriterFactory<T>, rows: readonly T[]): string {
  const writer = factory.createWriter();
  const parts: Uint8Array[] = [];
  for (const row of rows) {
    writer.addElement(row);
    if (writer.encodedBytes > 1000) parts.push(writer.takeBytes());
  }
  parts.push(writer.finish());
  const path = join(dir, `${files++}.parquet`);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** All rows of the splits cut at `cuts`, with a restart after every `rowsBeforeRestart` rows of the file. */
async function read<T>(format: BulkFormat<T>, path: string, cuts: readonly number[] = [], rowsBeforeRestart = Number.POSITIVE_INFINITY): Promise<T[]> {
  const fs = new LocalFileSystem();
  const sizeBytes = readFileSync(path).length;
  const edges = [0, ...[...cuts].sort((a, b) => a - b), sizeBytes];
  const found: T[] = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    let resumeAt: number | undefined;
    let skip = 0;
    for (let more = true; more; ) {
      more = false;
      const reader = await format.open({ fs, path, sizeBytes, startByte: edges[i]!, endByte: edges[i + 1]!, resumeAt });
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
  return found;
}

const duck = await (await DuckDBInstance.create(":memory:")).connect();
async function query(sql: string): Promise<any[]> {
  return (await duck.runAndReadAll(sql)).getRowObjectsJson();
}

const everything = {
  flag: "boolean", small: "int32?", id: "int64", un: "uint64?", ratio: "double?", single: "float", name: "string?", raw: "bytes?", code: "fixed(3)", uuid: "uuid?",
  day: "date?", time: "time-micros", ms: "timestamp-millis", us: "timestamp-micros?", ns: "timestamp-nanos", d9: "decimal(9,2)", d18: "decimal(18,4)?", d38: "decimal(38,10)?",
  tags: { list: "string?", nullable: true }, matrix: { list: { list: "int32" } }, byName: { map: ["string", "int64?"], nullable: true }, byId: { map: ["int64", "string"] },
  point: { struct: { x: "double", y: "double?", inner: { struct: { z: "string?" }, nullable: true } }, nullable: true }, points: { list: { struct: { x: "int32" } } },
} as const satisfies ParquetColumns;
type Everything = ParquetRecord<typeof everything>;

const text = fc.string({ unit: "binary", maxLength: 8 });
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const decimal = (precision: number, scale: number): fc.Arbitrary<string> => fc.bigInt(-(10n ** BigInt(precision)) + 1n, 10n ** BigInt(precision) - 1n).map((unscaled) => {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
});
const row: fc.Arbitrary<Everything> = fc.record({
  flag: fc.boolean(), small: fc.option(fc.integer()), id: int64, un: fc.option(fc.bigInt(0n, 2n ** 64n - 1n)), ratio: fc.option(fc.double()), single: fc.float(), name: fc.option(text),
  raw: fc.option(fc.uint8Array({ maxLength: 5 })), code: fc.uint8Array({ minLength: 3, maxLength: 3 }), uuid: fc.option(fc.uuid()),
  day: fc.option(fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10))), time: fc.nat(86_399_999_999),
  ms: fc.integer({ min: -1e13, max: 1e13 }), us: fc.option(fc.bigInt(-(10n ** 16n), 10n ** 16n)), ns: fc.bigInt(-(10n ** 18n), 10n ** 18n),
  d9: decimal(9, 2), d18: fc.option(decimal(18, 4)), d38: fc.option(decimal(38, 10)),
  tags: fc.option(fc.array(fc.option(text), { maxLength: 3 })), matrix: fc.array(fc.array(fc.integer(), { maxLength: 2 }), { maxLength: 2 }),
  byName: fc.option(fc.uniqueArray(fc.tuple(text, fc.option(int64)), { selector: ([key]) => key, maxLength: 3 }).map((entries) => Object.fromEntries(entries))),
  byId: fc.array(fc.tuple(int64, text), { maxLength: 2 }).map((entries) => new Map(entries)),
  point: fc.option(fc.record({ x: fc.double(), y: fc.option(fc.double()), inner: fc.option(fc.record({ z: fc.option(text) }, { noNullPrototype: true })) }, { noNullPrototype: true })),
  points: fc.array(fc.record({ x: fc.integer() }, { noNullPrototype: true }), { maxLength: 2 }),
}, { noNullPrototype: true });

test("rows of every type come back exactly, in any row groups, splits and restarts", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(row, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 5 }), fc.constantFrom<ParquetCompression>("none", "snappy", "gzip", "zstd", "lz4"), fc.array(fc.nat(20_000), { maxLength: 3 }), fc.integer({ min: 1, max: 6 }),
    async (rows, rowGroupRows, compression, cuts, restart) => {
      const path = write(parquetWriter(everything, { rowGroupRows, compression }), rows);
      const size = readFileSync(path).length;
      const format = parquetFormat({ schema: everything });
      assert.deepEqual(await read(format, path, cuts.map((cut) => cut % size), restart), rows);
      assert.deepEqual(await read(parquetFormat<Everything>(), path), rows);
    },
  ), { numRuns: 25 });
});

test("DuckDB reads what is written", async () => {
  const rows: Everything[] = fc.sample(row, { numRuns: 40, seed: 5 });
  const path = write(parquetWriter(everything, { rowGroupRows: 16, bloomFilters: ["name", "id"] }), rows);
  const found = await query(`SELECT id::VARCHAR id, un::VARCHAR un, name, hex(raw) raw, uuid::VARCHAR uuid, day::VARCHAR AS day, epoch_us(us)::VARCHAR us, epoch_ms(ms)::VARCHAR ms,
    d9::VARCHAR d9, d18::VARCHAR d18, d38::VARCHAR d38, tags, matrix, byName::JSON::VARCHAR AS byName, len(points) points, point.x IS NOT NULL has FROM '${path}'`);
  assert.equal(found.length, rows.length);
  for (const [i, one] of found.entries()) {
    const { id, un, name, raw, uuid, day, us, ms, d9, d18, d38, tags, matrix, points, point } = rows[i]!;
    const hex = raw === null ? null : Buffer.from(raw).toString("hex").toUpperCase();
    assert.deepEqual({ ...one, byName: undefined }, {
      id: String(id), un: un === null ? null : String(un), name, raw: hex, uuid, day, us: us === null ? null : String(us), ms: String(ms), d9, d18, d38, tags, matrix,
      byName: undefined, points: String(points.length), has: point !== null,
    });
  }
  const [{ count }] = await query(`SELECT count(*)::INT count FROM '${path}' WHERE id = ${rows[7]!.id}`);
  assert.equal(count, 1);
});

test("what DuckDB writes is read, with all its types", async () => {
  for (const codec of ["uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli"]) {
    const path = join(dir, `duck-${codec}.parquet`);
    await query(`COPY (SELECT i::BIGINT id, (i::DECIMAL(20,3) * 100000000000000.07)::DECIMAL(38,5) AS big, (i / 8)::DECIMAL(7,3) small, CASE WHEN i % 3 = 0 THEN NULL ELSE 'n' || i END AS name,
      DATE '2024-02-28' + i::INT AS day, TIMESTAMP '2024-01-01 00:00:00.000001' + INTERVAL (i) SECOND AS at, [i, NULL, i + 1] list, MAP {i: 'a', i + 1: NULL} m, {'a': i, 'b': {'c': 'x' || i}} s,
      CASE WHEN i % 5 = 0 THEN NULL ELSE [{'k': [i]}] END AS nested, 'a\\x00b'::BLOB raw, INTERVAL (i) DAY AS iv, TIME '01:02:03.000004' t, i::UTINYINT u8, (18446744073709551615 - i)::UBIGINT u64,
      '${"00112233-4455-6677-8899-aabbccddeeff"}'::UUID AS uuid, (i::FLOAT / 3) f, 'b'::ENUM('a', 'b') e
      FROM range(250) r(i)) TO '${path}' (FORMAT parquet, CODEC '${codec}', ROW_GROUP_SIZE 2048)`);
    const found = await read(parquetFormat<any>(), path);
    assert.equal(found.length, 250, codec);
    const expected = await query(`SELECT big::VARCHAR big, small::VARCHAR small FROM '${path}'`);
    assert.deepEqual(found.map(({ big, small }) => [big, small]), expected.map(({ big, small }) => [big, small]));
    const { big: _big, small: _small, ...third } = found[3];
    assert.deepEqual(third, {
      id: 3n, name: null, day: "2024-03-02", at: 1_704_067_203_000_001n, list: [3n, null, 4n], m: new Map([[3n, "a"], [4n, null]]), s: { a: 3n, b: { c: "x3" } }, nested: [{ k: [3n] }],
      raw: new Uint8Array([97, 0, 98]), iv: { months: 0, days: 3, millis: 0 }, t: 3_723_000_004, u8: 3, u64: 18446744073709551612n, uuid: "00112233-4455-6677-8899-aabbccddeeff", f: 1, e: "b",
    }, codec);
    assert.equal(found[5].nested, null);
  }
});

test("columns are chosen by name; numbers widen, time stamps change their unit, missing columns are null", async () => {
  const path = write(parquetWriter({ a: "int32", b: "string", c: "timestamp-micros", d: "float" }), [{ a: 5, b: "x", c: -1n, d: 0.5 }]);
  assert.deepEqual(await read(parquetFormat({ schema: { d: "double", c: "timestamp-millis", a: "int64", gone: "string?" } }), path), [{ d: 0.5, c: -1, a: 5n, gone: null }]);
  assert.deepEqual(await read(parquetFormat<{ b: string }>({ columns: ["b"] }), path), [{ b: "x" }]);
  await assert.rejects(read(parquetFormat({ schema: { gone: "string" } }), path), { code: "SCHEMA_INCOMPATIBLE", message: /column "gone"/ });
  await assert.rejects(read(parquetFormat({ schema: { a: "string" } }), path), { code: "SCHEMA_INCOMPATIBLE", message: /shall be string, and is int32 in the file/, location: { file: path } });
  await assert.rejects(read(parquetFormat<{ bb: string }>({ columns: ["bb"] }), path), { code: "SCHEMA_INCOMPATIBLE", hint: 'did you mean "b"?' });
  const large = write(parquetWriter({ n: "int64?" }), [{ n: 5n }, { n: 2n ** 53n }, { n: null }]);
  assert.deepEqual((await read(parquetFormat({ schema: { n: "int64-number?" }, filter: { n: { lt: 10 } } }), large)), [{ n: 5 }]);
  await assert.rejects(read(parquetFormat({ schema: { n: "int64-number?" } }), large), { code: "FORMAT_VALUE_UNFIT", message: /row 2: column "n" is 9007199254740992/ });
  await assert.rejects(read(parquetFormat({ schema: { n: "int64" } }), large), { code: "FORMAT_VALUE_UNFIT", message: /row 3: column "n" is null/ });
});

const filtered = { i: "int32", l: "int64?", s: "string?", d: "decimal(30,2)?", day: "date", at: "timestamp-micros", f: "double?" } as const satisfies ParquetColumns;

/** Without the types of columns and operators, which are drawn by chance. */
const withFilter = (filter: object): BulkFormat<ParquetRecord<typeof filtered>> => (parquetFormat as (options: object) => BulkFormat<any>)({ schema: filtered, filter });

test("a filter gives the rows it would give without statistics, and does not read row groups that cannot hold one", async () => {
  const one = fc.record({
    i: fc.integer({ min: -20, max: 20 }), l: fc.option(fc.bigInt(2n ** 60n, 2n ** 60n + 20n)), s: fc.option(fc.constantFrom("a", "b", "bb", "ß", "\u{10000}", "\uffff")), d: fc.option(decimal(30, 2)),
    day: fc.constantFrom("1969-12-31", "2024-02-29", "2024-03-01"), at: fc.bigInt(-5000n, 5000n), f: fc.option(fc.double()),
  }, { noNullPrototype: true });
  const keep = { eq: (a: any, b: any) => a === b, gt: (a: any, b: any) => a > b, gte: (a: any, b: any) => a >= b, lt: (a: any, b: any) => a < b, lte: (a: any, b: any) => a <= b, in: (a: any, b: any[]) => b.includes(a) };
  const comparable = (column: string, value: any): any => (column === "d" && value !== null ? BigInt(value.replace(".", "")) : value);
  await fc.assert(fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 30 }), fc.constantFrom(...(Object.keys(filtered) as (keyof typeof filtered)[])), fc.constantFrom("eq", "gt", "gte", "lt", "lte", "in"), fc.nat(29), fc.nat(29), fc.integer({ min: 1, max: 8 }), async (rows, column, operator, a, b, group) => {
    const [first, second] = [rows[a % rows.length]![column], rows[b % rows.length]![column]];
    if (first === null || second === null || Number.isNaN(first)) return;
    const operand = operator === "in" ? [first, second] : first;
    const path = write(parquetWriter(filtered, { rowGroupRows: group, pageSizeBytes: 20, bloomFilters: ["i", "l", "s"] }), rows);
    const expected = rows.filter((row) => row[column] !== null && keep[operator as keyof typeof keep](comparable(column, row[column]), Array.isArray(operand) ? operand.map((v) => comparable(column, v)) : comparable(column, operand)));
    assert.deepEqual(await read(withFilter({ [column]: { [operator]: operand } }), path, [], 3), expected);
    assert.deepEqual(await read(parquetFormat<any>({ filter: { [column]: { [operator]: operand } } }), path), expected);
    const nulls = rows.filter((row) => row[column] === null);
    assert.deepEqual(await read(parquetFormat<any>({ filter: { [column]: { isNull: true } } }), path), nulls);
  }), { numRuns: 120 });

  const sorted = write(parquetWriter({ i: "int32", s: "string" }, { rowGroupRows: 100, bloomFilters: ["s"] }), Array.from({ length: 1000 }, (_, i) => ({ i, s: `k${(i * 7919) % 1000}` })));
  const blocks = async (filter: object): Promise<number> => {
    const sizeBytes = readFileSync(sorted).length;
    const reader = await parquetFormat<any>({ filter }).open({ fs: new LocalFileSystem(), path: sorted, sizeBytes, startByte: 0, endByte: sizeBytes, resumeAt: undefined });
    let count = 0;
    while ((await reader.next()) !== undefined) count++;
    return count;
  };
  assert.equal(await blocks({}), 10);
  assert.equal(await blocks({ i: { gte: 250, lt: 399 } }), 2);
  assert.ok((await blocks({ s: { eq: "k500" } })) <= 3);
  assert.equal(await blocks({ i: { eq: -1 } }), 0);
  for (const bad of [{ x: { eq: 1 } }, { i: { like: 1 } }, { i: { eq: "1" } }]) await assert.rejects(blocks(bad), { code: "OPTION_INVALID", location: { option: "filter" } });
  assert.throws(() => parquetFormat({ schema: everything, filter: { tags: { isNull: true } } as never }), { code: "OPTION_INVALID" });
});

test("a file cut short or damaged fails with file and offset", async () => {
  const path = write(parquetWriter({ s: "string" }, { rowGroupRows: 50 }), Array.from({ length: 100 }, (_, i) => ({ s: `text ${i}` })));
  const whole = readFileSync(path);
  const damaged = join(dir, "damaged.parquet");
  for (const length of [1, 11, 100, whole.length - 1, whole.length - 9]) {
    writeFileSync(damaged, whole.subarray(0, length));
    await assert.rejects(read(parquetFormat(), damaged), { code: "FILE_CORRUPT", message: /damaged\.parquet" cannot be read at byte \d+/, location: { file: damaged } }, String(length));
  }
  const changed = Buffer.from(whole);
  changed.fill(0xff, 20, 60);
  writeFileSync(damaged, changed);
  await assert.rejects(read(parquetFormat(), damaged), { code: "FILE_CORRUPT", message: /column "s" cannot be decoded/ });
  const lie = Buffer.from(whole);
  lie.writeUInt32LE(0x7fffffff, whole.length - 8);
  writeFileSync(damaged, lie);
  await assert.rejects(read(parquetFormat(), damaged), { code: "FILE_CORRUPT", message: /longer than the file/ });
});

test("records that do not fit name the column; schemas and options are checked", () => {
  const writer = parquetWriter({ a: "int32", p: { struct: { x: { list: "decimal(4,2)" } } } }).createWriter();
  const bad = (value: unknown, message: RegExp): void => assert.throws(() => writer.addElement(value as never), { code: "RECORD_NOT_ENCODABLE", message });
  bad({ a: 1.5, p: { x: [] } }, /column "a" is 1.5, which is no int32/);
  bad({ a: null, p: { x: [] } }, /column "a" is null/);
  bad({ a: 1, p: { x: ["1.00", "1.001"] } }, /column "p\.x\[1\]" is "1.001".*more than 2 digits behind the point/);
  bad({ a: 1, p: null }, /column "p" is null/);
  assert.throws(() => parquetWriter({ a: "int23" as never }), { code: "FORMAT_SCHEMA_INVALID", hint: 'did you mean "int32"?' });
  assert.throws(() => parquetWriter({}), { code: "FORMAT_SCHEMA_INVALID" });
  assert.throws(() => parquetWriter({ a: "decimal(3,4)" }), { code: "FORMAT_SCHEMA_INVALID" });
  for (const options of [{ compression: "lzo" }, { rowGroupRows: 0 }, { bloomFilters: ["b"] }]) assert.throws(() => parquetWriter({ a: "int32" }, options as never), { code: "OPTION_INVALID" });
});
