// What is written is what is read, for every type: values made at random go through the sink and come back through the source.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WatermarkStrategy, isMillraceError } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import fc from "fast-check";
import { createConnection, type Connection } from "mysql2/promise";
import { MariadbServer, mariadbMissing } from "../../../tools/services/mariadb/mariadb-server.js";
import { JdbcSink, JdbcSource, mysqlDialect, type JdbcConnectionOptions, type JdbcTypeOptions } from "../src/index.js";

const skip = mariadbMissing() ?? false;
const miniCluster = new MiniCluster();
let server: MariadbServer;
let admin: Connection;
let connection: JdbcConnectionOptions;

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  server = await MariadbServer.start();
  admin = await createConnection({ uri: server.url, multipleStatements: true });
  connection = { dialect: mysqlDialect, url: server.url };
});
after(async () => {
  await miniCluster.stop();
  await admin?.end();
  await server?.remove();
});

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
// A table's collation does not matter for what comes back; trailing spaces of VARCHAR stay.
const text = fc.string({ unit: "binary", maxLength: 20 }).filter((value) => !/\p{Surrogate}/u.test(value));
const int = (bits: number): fc.Arbitrary<number> => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const unsigned = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });
const decimal = (digits: number, scale: number): fc.Arbitrary<string> => fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) - 1n }).chain((value) => fc.constantFrom("", "-").map((sign) => {
  const all = String(value).padStart(scale + 1, "0");
  return `${value === 0n ? "" : sign}${all.slice(0, all.length - scale)}${scale === 0 ? "" : "."}${all.slice(all.length - scale)}`;
}));
const date = (from: number, to: number): fc.Arbitrary<string> => fc.tuple(fc.integer({ min: from, max: to }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 })).map(([y, m, d]) => `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`);
const fraction = fc.integer({ min: 1, max: 999_999 }).map((micros) => `.${pad(micros, 6)}`);
const clock = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 59 })).map(([h, m, s]) => `${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}`);
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown).filter((value) => value !== null && !/[eE][+-]?\d|__proto__|\\u/.test(JSON.stringify(value)));

const columns: Readonly<Record<string, readonly [string, fc.Arbitrary<unknown>]>> = {
  i1: ["TINYINT", int(8)], u1: ["TINYINT UNSIGNED", unsigned(8)], i2: ["SMALLINT", int(16)], u2: ["SMALLINT UNSIGNED", unsigned(16)], i3: ["MEDIUMINT", int(24)], u3: ["MEDIUMINT UNSIGNED", unsigned(24)],
  i4: ["INT", int(32)], u4: ["INT UNSIGNED", unsigned(32)], i8: ["BIGINT", fc.bigInt(-(1n << 63n), (1n << 63n) - 1n)], u8: ["BIGINT UNSIGNED", fc.bigInt(0n, (1n << 64n) - 1n)],
  f4: ["FLOAT", fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => Number(new Float32Array([value])[0]) + 0)],
  // The server has no negative zero.
  f8: ["DOUBLE", fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)],
  n: ["DECIMAL(38,10)", decimal(38, 10)], n0: ["DECIMAL(65,0)", decimal(65, 0)], y: ["YEAR", fc.integer({ min: 1901, max: 2155 })], bit1: ["BIT(1)", fc.bigInt(0n, 1n)], bit64: ["BIT(64)", fc.bigInt(0n, (1n << 64n) - 1n)],
  vc: ["VARCHAR(200)", text], t: ["TEXT", text], d: ["DATE", date(1000, 9999)], ti: ["TIME(6)", fc.oneof(fc.tuple(clock, fraction).map(([c, f]) => `${c}${f}`.replace(/0+$/, "")), fc.constantFrom("-838:59:58.5", "00:00:00"))],
  dt: ["DATETIME(6)", fc.tuple(date(1000, 9999), clock, fraction).map(([d, c, f]) => `${d}T${c}${f}`)], dt0: ["DATETIME", fc.tuple(date(1000, 9999), clock).map(([d, c]) => `${d}T${c}`)],
  ts: ["TIMESTAMP(6) NULL", fc.tuple(date(1971, 2037), clock, fraction).map(([d, c, f]) => `${d}T${c}${f}Z`)], vb: ["VARBINARY(50)", fc.uint8Array({ maxLength: 20 })], blob: ["BLOB", fc.uint8Array({ maxLength: 20 })],
  e: ["ENUM('sad', 'ok', 'it''s \\\\fine')", fc.constantFrom("sad", "ok", "it's \\fine")], s: ["SET('a', 'b', 'c d')", fc.subarray(["a", "b", "c d"])], j: ["JSON", json], u: ["UUID", fc.uuid({ version: 4 })], inet: ["INET6", fc.constantFrom("2001:db8::1", "::")],
};
const row = fc.record(Object.fromEntries(Object.entries(columns).map(([name, [, values]]) => [name, fc.option(values, { freq: 8 })])));

async function write(table: string, rows: readonly Record<string, unknown>[], upsert: boolean): Promise<void> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(1);
  env.fromCollection(rows).sinkTo(JdbcSink.of<Record<string, unknown>>({ connection, table, columns: ["id", ...Object.keys(columns)], ...(upsert ? { keyColumns: ["id"] } : {}) }));
  await env.execute();
}

async function read(table: string, types: JdbcTypeOptions = {}): Promise<Record<string, unknown>[]> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(1);
  return env.fromSource(JdbcSource.of({ connection, table, keyColumn: "id", fetchSize: 7, types }), WatermarkStrategy.noWatermarks(), "table").executeAndCollect();
}

for (const how of ["insert", "upsert"]) {
  test(`every type comes back as it was written by an ${how}`, { skip }, async () => {
    const table = `by_${how}`;
    await admin.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, ${Object.entries(columns).map(([name, [type]]) => `\`${name}\` ${type}`).join(", ")}) CHARACTER SET utf8mb4`);
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60, size: "max" }), async (rows) => {
      await admin.query(`TRUNCATE ${table}`);
      const numbered = rows.map((values, id) => ({ id, ...values }));
      await write(table, numbered, how === "upsert");
      assert.deepEqual(await read(table), numbered);
    }), { numRuns: 4 });
  });
}

/** The messages of what something fails with, and their codes. */
async function failure(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(() => assert.fail("it went through"), (error: Error) => error);
  const texts: string[] = [];
  for (let cause: Error | undefined = thrown; cause !== undefined; cause = cause.cause as Error | undefined) texts.push(`${isMillraceError(cause) ? cause.code : ""} ${cause.message}`);
  return texts.join("\n");
}

test("other forms of values, and what they do not hold", { skip }, async () => {
  await admin.query("CREATE TABLE forms (id INT PRIMARY KEY, active TINYINT(1), i BIGINT, n DECIMAL(30,20), dt DATETIME(6), doc LONGTEXT)");
  await admin.query("INSERT INTO forms VALUES (1, 1, 9007199254740991, 0.1, '2024-02-29 12:34:56.789', '{\"a\": [1.5]}')");
  assert.deepEqual(await read("forms", { int8: "number", decimal: "number", timestamps: "date", kinds: { active: "boolean", doc: "json" } }), [
    { id: 1, active: true, i: 9007199254740991, n: 0.1, dt: new Date("2024-02-29T12:34:56.789Z"), doc: { a: [1.5] } }]);
  const refused: readonly [string, string, JdbcTypeOptions, RegExp][] = [
    ["active", "2", { kinds: { active: "boolean" } }, /column "active" \(tinyint\) holds 2: it is neither true nor false/], ["i", "9007199254740993", { int8: "number" }, /column "i" \(bigint\).*beyond 2\^53/],
    ["n", "0.12345678901234567891", { decimal: "number" }, /column "n" \(decimal\).*a double does not hold it/], ["dt", "'2024-01-01 00:00:00.000001'", { timestamps: "epochMillis" }, /column "dt".*milliseconds do not hold it/],
    ["doc", "'{'", { kinds: { doc: "json" } }, /column "doc" \(text\) holds "\{"/],
  ];
  for (const [column, value, types, expected] of refused) {
    await admin.query(`DELETE FROM forms; INSERT INTO forms (id, ${column}) VALUES (1, ${value})`);
    const message = await failure(read("forms", types));
    assert.match(message, /JDBC_VALUE_UNREPRESENTABLE/);
    assert.match(message, expected);
  }
});

test("a value that would be changed is refused, and a row that the database refuses is named", { skip }, async () => {
  await admin.query("CREATE TABLE strict (id INT PRIMARY KEY, name VARCHAR(5), cents DECIMAL(10,2) CHECK (cents >= 0), dt DATETIME(3), small TINYINT UNSIGNED, d DATE)");
  const good = Array.from({ length: 300 }, (_, id) => ({ id, name: "ok", cents: "1.5" as unknown, dt: null as unknown, small: 1 as unknown, d: null as unknown }));
  const withRow = (change: Partial<(typeof good)[number]>): Promise<string> => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(1);
    const rows = [...good.slice(0, 200), { ...good[200]!, ...change }, ...good.slice(201)];
    env.fromCollection(rows).sinkTo(JdbcSink.of<(typeof good)[number]>({ connection, table: "strict", columns: ["id", "name", "cents", "dt", "small", "d"], keyColumns: ["id"] }));
    return failure(env.execute());
  };
  assert.match(await withRow({ cents: "-1" }), /JDBC_ROW_REFUSED table strict refuses the row \(id=200, name=ok, cents=-1, .*: 4025/);
  assert.match(await withRow({ name: "too long" }), /JDBC_ROW_REFUSED .*id=200, name=too long.*1406/);
  assert.match(await withRow({ small: 256 }), /JDBC_ROW_REFUSED .*id=200.*1264/);
  assert.match(await withRow({ cents: "1.234" }), /JDBC_VALUE_INVALID .*"cents" \(decimal\).*2 digits/);
  assert.match(await withRow({ small: 1.5 }), /JDBC_VALUE_INVALID .*no integer/);
  assert.match(await withRow({ dt: "2024-01-01T00:00:00.0001" }), /JDBC_VALUE_INVALID .*3 digits of the second/);
  assert.match(await withRow({ d: "2024-01-01T12:00:00" }), /JDBC_VALUE_INVALID .*no date/);
});
