import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import fc from "fast-check";
import { ByteReader, ByteWriter, MillraceError, TimeWindow, decodeValue, encodeValue, isMillraceError, readValue, registerType, writeValue } from "../../src/index.js";
import { anyString, anyValue } from "./arbitrary-values.js";
import { assertSame } from "./same.js";

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
console.log(`value codec seed ${seed} (set SEED to repeat)`);

const codeOf = (code: string, message?: RegExp) => (error: unknown): boolean =>
  isMillraceError(error) && error.code === code && (message === undefined || message.test(error.message)) && (code === "CODEC_CORRUPT" || error.hint !== undefined);

test("every value comes back exactly", () => {
  fc.assert(fc.property(anyValue, (value) => assertSame(decodeValue(encodeValue(value)), value)), { seed, numRuns: 2000 });
});

test("equal values give equal bytes", () => {
  fc.assert(fc.property(anyValue, (value) => assert.deepEqual(encodeValue(decodeValue(encodeValue(value))), encodeValue(value))), { seed, numRuns: 500 });
});

test("many values in one writer are read back in order", () => {
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 8 }), (values) => {
      const writer = new ByteWriter(0);
      for (const value of values) writeValue(writer, value);
      const reader = new ByteReader(writer.written());
      for (const value of values) assertSame(readValue(reader), value);
      assert.equal(reader.remaining, 0);
    }),
    { seed, numRuns: 300 },
  );
});

test("long strings of every kind", () => {
  for (const unit of ["a", "é", "€", "\ud800", "\ud83d\ude00", "a\u0000"]) {
    for (const length of [31, 32, 33, 63, 64, 65, 5000, 100_000]) assert.equal(decodeValue(encodeValue(unit.repeat(length))), unit.repeat(length));
  }
});

test("primitive encodings of writer and reader", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer(), anyString, (big, int, text) => {
      const writer = new ByteWriter(0);
      writer.varuint(big);
      writer.varint32(int);
      writer.string(text);
      writer.u16(int & 0xffff);
      writer.i32(int);
      const reader = new ByteReader(writer.finish());
      assert.deepEqual([reader.varuint(), reader.varint32(), reader.string(), reader.u16(), reader.i32()], [big, int, text, int & 0xffff, int]);
    }),
    { seed },
  );
});

test("a Buffer comes back as a Uint8Array of its bytes alone", () => {
  assertSame(decodeValue(encodeValue(Buffer.from("abc"))), new Uint8Array([97, 98, 99]));
});

test("a sparse array costs its elements, not its length", () => {
  const array: unknown[] = [];
  array[4_000_000_000] = 1;
  array.length = 4_294_967_295;
  assert.ok(encodeValue(array).length < 32);
  const decoded = decodeValue(encodeValue(array)) as unknown[];
  assert.deepEqual([decoded.length, decoded[4_000_000_000], Object.keys(decoded).length], [4_294_967_295, 1, 1]);
});

test("plain objects and arrays of another realm are plain", () => {
  assertSame(decodeValue(encodeValue(vm.runInNewContext("({ a: [1, { b: 2 }] })"))), { a: [1, { b: 2 }] });
});

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}
class Euro extends Money {}

test("what cannot be carried is refused with its place", () => {
  const cycle: { list: unknown[] } = { list: [] };
  cycle.list.push({ again: cycle });
  let deep: unknown = 1;
  for (let i = 0; i < 2000; i++) deep = [deep];
  const cases: [unknown, RegExp][] = [
    [{ a: [1, 2, 3, { fn: () => 1 }] }, /^\$\.a\[3\]\.fn is a function/],
    [[Symbol("s")], /^\$\[0\] is a symbol/],
    [{ "odd key": new Euro(1) }, /^\$\["odd key"\] is an instance of Euro/],
    [new Map([["k", new WeakMap()]]), /^\$<value of "k"> is an instance of WeakMap/],
    [new Set([Promise.resolve()]), /^\$<element 0> is an instance of Promise/],
    [cycle, /^\$\.list\[0\]\.again is a reference back/],
    [deep, /nested more than 1000 levels/],
    [new Error("x"), /an instance of Error/],
    [new MillraceError({ code: "X", message: "x" }), /an instance of MillraceError/],
    [new DataView(new ArrayBuffer(1)), /an instance of DataView/],
    [new (class Special extends Array {})(), /an instance of Special/],
    [new (class Bytes extends Uint8Array {})(2), /an instance of Bytes/],
    [Object.create({ inherited: 1 }), /./],
    [new Number(1), /an instance of Number/],
  ];
  for (const [value, message] of cases) {
    const writer = new ByteWriter();
    writer.u8(7);
    assert.throws(() => writeValue(writer, value), codeOf("RECORD_NOT_ENCODABLE", message));
    assert.equal(writer.position, 1);
  }
});

test("registered classes travel by name, subclasses do not", () => {
  registerType("test.Money", Money, { encode: (money) => money.cents, decode: (cents) => new Money(cents) });
  assertSame(decodeValue(encodeValue({ price: new Money(5) })), { price: new Money(5) });
  assert.throws(() => encodeValue(new Euro(1)), codeOf("RECORD_NOT_ENCODABLE"));
  assert.throws(() => registerType("test.Money", Euro, { encode: () => 0, decode: () => new Euro(0) }), codeOf("TYPE_ALREADY_REGISTERED"));
  assert.throws(() => registerType("test.Euro", Money, { encode: () => 0, decode: () => new Money(0) }), codeOf("TYPE_ALREADY_REGISTERED"));
  const window = decodeValue(encodeValue(new TimeWindow(1, 2)));
  assert.ok(window instanceof TimeWindow && window.maxTimestampMs === 1);
  const bytes = encodeValue(new Money(1));
  bytes[bytes.indexOf("M".charCodeAt(0))] = "H".charCodeAt(0);
  assert.throws(() => decodeValue(bytes), codeOf("TYPE_NOT_REGISTERED", /test\.Honey/));
});

test("a type's encode may itself encode values", () => {
  class Outer {}
  registerType("test.Outer", Outer, { encode: () => encodeValue({ inner: [1, 2] }), decode: () => new Outer() });
  assertSame(decodeValue(encodeValue([1, new Outer(), "after"])), [1, new Outer(), "after"]);
});

test("corrupt bytes are an error, and soon", () => {
  const tolerated = new Set(["CODEC_CORRUPT", "TYPE_NOT_REGISTERED"]);
  const check = (bytes: Uint8Array): void => {
    try {
      decodeValue(bytes);
    } catch (error) {
      assert.ok(isMillraceError(error) && tolerated.has(error.code), String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), check), { seed, numRuns: 5000 });
  fc.assert(
    fc.property(anyValue, fc.nat(), fc.nat(255), (value, at, byte) => {
      const bytes = encodeValue(value);
      bytes[at % bytes.length] = byte;
      check(bytes);
      check(bytes.subarray(0, at % bytes.length));
    }),
    { seed, numRuns: 3000 },
  );
  assert.throws(() => decodeValue(encodeValue(1).slice(0, 0)), codeOf("CODEC_CORRUPT"));
  assert.throws(() => decodeValue(new Uint8Array([...encodeValue(1), 0])), codeOf("CODEC_CORRUPT", /left over/));
});
