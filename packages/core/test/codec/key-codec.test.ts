import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import {
  checkKey, decodeKey, defaultMaxParallelism, encodeKey, isMillraceError, keyGroupOf, keyGroupRange, keyHash, keysEqual, operatorIndexForKeyGroup,
} from "../../src/index.js";
import { murmur3 } from "../../src/codec/murmur3.js";
import { anyBigint, anyNumber, anyString } from "./arbitrary-values.js";
import { keySamples } from "./key-samples.js";

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
console.log(`key codec seed ${seed} (set SEED to repeat)`);

const anyKey: fc.Arbitrary<unknown> = fc.letrec<{ key: unknown }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    anyString, anyNumber.filter(Number.isFinite), anyBigint, fc.boolean(), fc.constant(null), fc.date({ noInvalidDate: true }),
    fc.array(tie("key"), { maxLength: 3 }),
    fc.array(fc.tuple(anyString, tie("key")), { maxLength: 3 }).map((fields) => Object.fromEntries(fields)),
  ),
})).key;

/** The same key written differently: fields reversed, 0 as -0. */
function disguise(key: unknown): unknown {
  if (key === 0) return -0;
  if (Array.isArray(key)) return key.map(disguise);
  if (typeof key === "object" && key !== null && !(key instanceof Date)) {
    return Object.fromEntries(Object.entries(key).reverse().map(([name, value]) => [name, disguise(value)]));
  }
  return key;
}

interface Golden {
  readonly hash: number;
  readonly group128: number;
  readonly group32768: number;
}
const golden = JSON.parse(readFileSync(new URL("./key-golden.json", import.meta.url), "utf8")) as Golden[];
const computed = (): Golden[] =>
  keySamples().map((key) => ({ hash: keyHash(key), group128: keyGroupOf(keyHash(key), 128), group32768: keyGroupOf(keyHash(key), 32768) }));

test("keys hash as they always did", () => {
  assert.ok(golden.length >= 200, String(golden.length));
  assert.deepEqual(computed(), golden);
});

test("keys hash the same in another process, without the optimising compiler and with another hash seed", () => {
  const module = fileURLToPath(new URL("../../src/index.js", import.meta.url)).replace(/\.js$/, ".ts");
  const samples = fileURLToPath(new URL("./key-samples.ts", import.meta.url));
  const script = `
    const { keyHash } = await import(${JSON.stringify(module)});
    const { keySamples } = await import(${JSON.stringify(samples)});
    console.log(JSON.stringify(keySamples().map(keyHash)));`;
  const out = execFileSync(process.execPath, ["--import", "tsx", "--no-opt", "--hash-seed=12345", "--input-type=module", "-e", script], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(out), golden.map(({ hash }) => hash));
});

test("the hash is MurmurHash3 of the encoded key, on every path", () => {
  // Reference values of MurmurHash3_x86_32.
  const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
  assert.equal(murmur3(ascii(""), 0, 0, 1), 0x514e28b7);
  assert.equal(murmur3(ascii("test"), 0, 4, 0) >>> 0, 0xba6bd213);
  assert.equal(murmur3(ascii("Hello, world!"), 0, 13, 0) >>> 0, 0xc0363e43);
  fc.assert(
    fc.property(anyKey, (key) => {
      const bytes = encodeKey(key);
      assert.equal(keyHash(key), murmur3(bytes, 1, bytes.length, bytes[0]!));
    }),
    { seed, numRuns: 1000 },
  );
});

test("keys come back, and however written they are the same key", () => {
  fc.assert(
    fc.property(anyKey, (key) => {
      const other = disguise(key);
      assert.deepEqual(encodeKey(other), encodeKey(key));
      assert.ok(keysEqual(key, other) && keysEqual(decodeKey(encodeKey(key)), key));
      assert.equal(keyHash(other), keyHash(key));
      checkKey(key);
    }),
    { seed, numRuns: 1000 },
  );
});

test("keys are equal exactly when their bytes are", () => {
  fc.assert(
    fc.property(anyKey, anyKey, (a, b) => assert.equal(keysEqual(a, b), Buffer.compare(encodeKey(a), encodeKey(b)) === 0)),
    { seed, numRuns: 1000 },
  );
  const distinct = keySamples();
  assert.equal(new Set(distinct.map((key) => Buffer.from(encodeKey(key)).toString("hex"))).size, distinct.length);
});

test("what cannot be a key is refused, saying what and where", () => {
  for (const [key, message] of [
    [undefined, /must not be undefined/], [NaN, /NaN/], [-Infinity, /-Infinity/], [() => 1, /a function/], [Symbol("s"), /a symbol/], [new Map(), /an instance of Map/],
    [new Set(), /an instance of Set/], [new (class Point {})(), /an instance of Point/], [new Date(NaN), /an invalid Date/], [[1, [undefined]], /undefined \(at key\[1\]\[0\]\)/],
    [{ a: { b: NaN } }, /NaN \(at key\.a\.b\)/], [new Uint8Array(2), /an instance of Uint8Array/], [new Array(1), /undefined \(at key\[0\]\)/],
  ] as const) {
    for (const act of [keyHash, checkKey, encodeKey]) {
      assert.throws(() => act(key), (error) => isMillraceError(error) && error.code === "KEY_INVALID" && message.test(error.message) && error.hint !== undefined);
    }
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assert.throws(() => keyHash(cycle), (error) => isMillraceError(error) && error.code === "KEY_INVALID");
  assert.equal(keyHash("after a failure"), keyHash("after a failure"));
});

test("corrupt keys are an error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), anyKey.map(encodeKey)), fc.nat(), fc.nat(255), (bytes, at, byte) => {
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      try {
        decodeKey(bytes);
      } catch (error) {
        assert.ok(isMillraceError(error) && error.code === "CODEC_CORRUPT", String(error));
      }
    }),
    { seed, numRuns: 3000 },
  );
});

test("key groups are shared out as Flink does", () => {
  assert.deepEqual([1, 85, 86, 170, 171, 30_000].map(defaultMaxParallelism), [128, 128, 256, 256, 256, 32_768]);
  assert.deepEqual([0, 1, 2].map((subtask) => keyGroupRange(128, 3, subtask)), [[0, 42], [43, 85], [86, 127]]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(700), (parallelism, more) => {
      const max = parallelism + more;
      let next = 0;
      for (let subtask = 0; subtask < parallelism; subtask++) {
        const [first, last] = keyGroupRange(max, parallelism, subtask);
        assert.equal(first, next);
        assert.ok(last >= first);
        for (const group of [first, last]) assert.equal(operatorIndexForKeyGroup(max, parallelism, group), subtask);
        next = last + 1;
      }
      assert.equal(next, max);
    }),
    { seed },
  );
  assert.throws(() => keyGroupRange(4, 5, 0), (error) => isMillraceError(error) && error.code === "PARALLELISM_INVALID");
});

test("hashes spread over key groups", () => {
  for (const make of [(i: number) => i, (i: number) => `key-${i}`, (i: number) => [i, "x"], (i: number) => i / 3]) {
    const counts = new Int32Array(128);
    for (let i = 0; i < 12_800; i++) counts[keyGroupOf(keyHash(make(i)), 128)]!++;
    assert.ok(Math.min(...counts) > 55 && Math.max(...counts) < 160, `${Math.min(...counts)}..${Math.max(...counts)}`);
  }
});
