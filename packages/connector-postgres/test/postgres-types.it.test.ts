// What is written is what is read, for every type: values made at random go through the sink and come back through the source.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WatermarkStrategy, isMillraceError } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import fc from "fast-check";
import pg from "pg";
import { PostgresServer, postgresMissing } from "../../../tools/services/postgres/postgres-server.js";
import { JdbcSink, JdbcSource, postgresDialect, type JdbcConnectionOptions, type JdbcTypeOptions } from "../src/index.js";

const skip = postgresMissing() ?? false;
const miniCluster = new MiniCluster();
let server: PostgresServer;
let admin: pg.Client;
let connection: JdbcConnectionOptions;

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  server = await PostgresServer.start();
  admin = new pg.Client(server.url);
  await admin.connect();
  connection = { dialect: postgresDialect, url: server.url };
  await admin.query("CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'very happy, \"quoted\"'); CREATE DOMAIN shop.percent AS numeric(5,2) CHECK (VALUE <= 100)");
});
after(async () => {
  await miniCluster.stop();
  await admin?.end();
  await server?.remove();
});

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
const text = fc.string({ unit: "binary", maxLength: 20 }).filter((value) => !/\p{Surrogate}/u.test(value) && !value.includes("\0"));
const int = (bits: number): fc.Arbitrary<number> => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const int8 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const decimal = (digits: number, scale: number): fc.Arbitrary<string> => fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) - 1n }).chain((value) => fc.constantFrom("", "-").map((sign) => {
  const all = String(value).padStart(scale + 1, "0");
  return `${value === 0n ? "" : sign}${all.slice(0, all.length - scale)}${scale === 0 ? "" : "."}${all.slice(all.length - scale)}`;
}));
const date = fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 })).map(([y, m, d]) => `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`);
const fraction = fc.integer({ min: 0, max: 999_999 }).map((micros) => (micros === 0 ? "" : `.${pad(micros, 6).replace(/0+$/, "")}`));
const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 59 }), fraction).map(([h, m, s, f]) => `${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}${f}`);
const timestamp = fc.tuple(date, time).map(([d, t]) => `${d}T${t}`);
const bytes = fc.uint8Array({ maxLength: 20 });
const double = fc.double();
// PostgreSQL gives the shortest text of a real: six digits are always the same ones.
const float = fc.integer({ min: -999_999, max: 999_999 }).map((value) => value / 1000);
// A double's -0 is "0" in JSON.
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown).filter((value) => value !== null && !JSON.stringify(value).includes("\\u") && !/[eE][+-]?\d|__proto__/.test(JSON.stringify(value)));
const array = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<(T | null)[]> => fc.array(fc.option(of), { maxLength: 4 });
const matrix = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })).chain(([rows, columns]) => fc.array(fc.array(int(32), { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }));

const columns: Readonly<Record<string, readonly [string, fc.Arbitrary<unknown>]>> = {
  i2: ["smallint", int(16)], i4: ["integer", int(32)], i8: ["bigint", int8], f4: ["real", float], f8: ["double precision", double], b: ["boolean", fc.boolean()],
  n: ["numeric", fc.integer({ min: 0, max: 20 }).chain((scale) => decimal(38, scale))], n2: ["numeric(20,4)", decimal(20, 4)], percent: ["shop.percent", fc.constantFrom("0.00", "99.99", "-12.50")],
  t: ["text", text], vc: ["varchar(200)", text], d: ["date", fc.oneof(date, fc.constantFrom("infinity", "0044-03-15 BC"))], ti: ["time", time], ts: ["timestamp", fc.oneof(timestamp, fc.constant("infinity"))],
  tz: ["timestamptz", timestamp.map((value) => `${value}Z`)], iv: ["interval", fc.constantFrom("P1Y2M3DT4H5M6.789012S", "PT0S", "P-1M", "PT-0.000001S")], j: ["json", json], jb: ["jsonb", json],
  u: ["uuid", fc.uuid()], by: ["bytea", bytes], m: ["shop.mood", fc.constantFrom("sad", "ok", 'very happy, "quoted"')], inet: ["inet", fc.constantFrom("10.0.0.1", "2001:db8::/32")],
  bits: ["bit(5)", fc.constantFrom("00000", "10101")], range: ["int4range", fc.constantFrom("[1,5)", "empty")],
  ai: ["int[]", fc.oneof(array(int(32)), matrix)], ab: ["bigint[]", array(int8)], at: ["text[]", array(text)], an: ["numeric(20,4)[]", array(decimal(20, 4))], ad: ["timestamptz[]", array(timestamp.map((value) => `${value}Z`))],
  aby: ["bytea[]", array(bytes)], am: ["shop.mood[]", array(fc.constantFrom("ok", 'very happy, "quoted"'))], aj: ["jsonb[]", array(json)],
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

for (const [how, table] of [["COPY", "shop.copied"], ["an upsert", "shop.upserted"]] as const) {
  test(`every type comes back as it was written by ${how}`, { skip }, async () => {
    await admin.query(`CREATE TABLE ${table} (id int PRIMARY KEY, ${Object.entries(columns).map(([name, [type]]) => `${name} ${type}`).join(", ")})`);
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60, size: "max" }), async (rows) => {
      await admin.query(`TRUNCATE ${table}`);
      const numbered = rows.map((values, id) => ({ id, ...values }));
      await write(table, numbered, how !== "COPY");
      assert.deepEqual(await read(table), numbered);
    }), { numRuns: 4 });
  });
}

/** The message of what a read fails with. */
async function failure(table: string, types: JdbcTypeOptions): Promise<string> {
  const thrown = await read(table, types).then(() => assert.fail("it read"), (error: Error) => error);
  for (let cause: unknown = thrown; cause !== undefined; cause = (cause as Error).cause) if (isMillraceError(cause) && cause.code === "JDBC_VALUE_UNREPRESENTABLE") return cause.message;
  throw thrown;
}

test("other forms of values, and what they do not hold", { skip }, async () => {
  await admin.query("CREATE TABLE forms (id int PRIMARY KEY, i bigint, n numeric, ts timestamp, tz timestamptz, j jsonb, a int[])");
  await admin.query(`INSERT INTO forms VALUES (1, 9007199254740991, 0.1, '2024-02-29 12:34:56.789', '1969-12-31 23:59:59.999+00', '{"a": [1.5, "x"], "big": 1e2}', '{}')`);
  assert.deepEqual(await read("forms", { int8: "number", decimal: "number", timestamps: "date" }), [
    { id: 1, i: 9007199254740991, n: 0.1, ts: new Date("2024-02-29T12:34:56.789Z"), tz: new Date(-1), j: { a: [1.5, "x"], big: 100 }, a: [] }]);
  const [row1] = await read("forms", { int8: "string", decimal: (value) => ({ value }), timestamps: "epochMicros", json: "text", kinds: { id: "boolean" } });
  assert.deepEqual(row1, { id: true, i: "9007199254740991", n: { value: "0.1" }, ts: 1_709_210_096_789_000n, tz: -1000n, j: '{"a": [1.5, "x"], "big": 100}', a: [] });
  const refused: readonly [string, string, JdbcTypeOptions, RegExp][] = [
    ["i", "9007199254740993", { int8: "number" }, /column "i" \(bigint\) holds "9007199254740993": it is beyond 2\^53/],
    ["n", "0.12345678901234567891", { decimal: "number" }, /column "n" \(numeric\) holds "0.12345678901234567891": a double does not hold it/],
    ["ts", "'2024-01-01 00:00:00.000001'", { timestamps: "epochMillis" }, /column "ts" .*milliseconds do not hold it/],
    ["tz", "'infinity'", { timestamps: "date" }, /column "tz" .*no point in time/],
    ["j", `'{"id": 12345678901234567890}'`, {}, /column "j" .*the number 12345678901234567890 in it does not fit a double/],
    ["a", "'[0:1]={1,2}'", {}, /column "a" .*bounds do not begin with 1/],
  ];
  for (const [column, value, types, expected] of refused) {
    await admin.query(`BEGIN; DELETE FROM forms; INSERT INTO forms (id, ${column}) VALUES (1, ${value}); COMMIT`);
    assert.match(await failure("forms", types), expected);
  }
});
