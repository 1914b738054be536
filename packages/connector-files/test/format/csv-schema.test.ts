import assert from "node:assert/strict";
import { test } from "node:test";
import { CsvSchema } from "../../src/index.js";

test("messages of CSV are read and written, and what is no row is malformed", () => {
  const schema = CsvSchema.of({ columns: { id: "bigint", name: "string", delay: "int?" }, delimiter: ";" });
  const read = (text: string): unknown => {
    const bytes = Buffer.from(`12;x${text};4`);
    return schema.deserialize(bytes, 4, bytes.length - 2);
  };
  const row = { id: 9007199254740993n, name: 'a;"b"\nc', delay: null };
  const text = Buffer.from(schema.serialize(row)).toString();
  assert.equal(text, '9007199254740993;"a;""b""\nc";');
  assert.deepEqual(read(text), row);
  assert.deepEqual(read("5;x;-7\n"), { id: 5n, name: "x", delay: -7 });
  assert.throws(() => read("5;x"), /2 fields|3 fields|columns/);
  assert.throws(() => read("x;x;7"), /"x" is not a bigint \(column "id"\) \(column 1\)/);
  assert.throws(() => read(""), /0 rows/);
  assert.throws(() => read("1;a;1\n2;b;2"), /2 rows/);
  assert.deepEqual(schema.producedType?.schema.kind, "object");
  assert.throws(() => CsvSchema.of({ columns: { a: "text" as never } }), { code: "OPTION_INVALID" });
});
