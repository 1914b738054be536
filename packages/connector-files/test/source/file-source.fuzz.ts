import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Encoder } from "@toondepauw/node-zstd";
import fc from "fast-check";
import { FileSource } from "../../src/index.js";
import { ChoppyFileSystem } from "../support/choppy-file-system.js";
import { SourceDriver } from "../support/source-driver.js";
import type { Snapshot } from "../support/source-driver.js";
import { withTempDir, writeFiles } from "../support/temp-dir.js";

// Invariant: whatever the contents, the lengths of reads, the size of splits, the parallelism and the points of snapshot and restore,
// the records emitted up to a snapshot and those emitted after a restore from it are together exactly the file's records.

const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 12 }), fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r\n", " ", "é", "日", "😀"), maxLength: 20 }));
const line = text.map((t) => t.replace(/[\r\n\uFEFF]|\p{Surrogate}/gu, ""));

interface Shape {
  readonly splitSizeBytes: number;
  readonly reads: readonly number[];
  readonly parallelism: readonly number[];
  readonly polls: readonly number[];
  readonly compressed: "none" | "gzip" | "zstd";
}
const shape: fc.Arbitrary<Shape> = fc.record({
  splitSizeBytes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 40, max: 100_000 })),
  reads: fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 20, max: 100_000 })), { minLength: 1, maxLength: 5 }),
  parallelism: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
  polls: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 0, maxLength: 3 }),
  compressed: fc.constantFrom("none", "gzip", "zstd"),
});

/** Runs with a snapshot, a failure and a restore after each of `polls`, then to the end; what a failed attempt emitted after its snapshot is dropped. */
async function readWithFailures<T>(source: FileSource<T>, { reads, parallelism, polls }: Shape): Promise<{ records: T[]; side: unknown[] }> {
  const records: T[] = [];
  const side: unknown[] = [];
  let restored: Snapshot | undefined;
  for (let attempt = 0; ; attempt++) {
    let next = 0;
    const fs = new ChoppyFileSystem(() => reads[next++ % reads.length]!);
    const driver = await new SourceDriver(source, parallelism[attempt % parallelism.length]!, fs).start(restored);
    const ended = await driver.run(polls[attempt]);
    records.push(...driver.records);
    side.push(...driver.sideOutputs.map((s) => s.value));
    if (ended) {
      await driver.close();
      return { records, side };
    }
    restored = await driver.snapshot();
    await driver.run(1);
    await driver.close();
  }
}

function encoded(content: string, name: string, compressed: Shape["compressed"]): Record<string, string | Uint8Array> {
  if (compressed === "zstd") return { [`${name}.zst`]: new Encoder(1).encodeSync(Buffer.from(content)) };
  return compressed === "gzip" ? { [`${name}.gz`]: gzipSync(content) } : { [name]: content };
}

function sameMultiset(actual: readonly unknown[], expected: readonly unknown[]): void {
  const sorted = (list: readonly unknown[]): string[] => list.map((x) => JSON.stringify(x)).sort();
  assert.deepEqual(sorted(actual), sorted(expected));
}

const runs = { numRuns: 100, verbose: 1 as const };

test("lines", () =>
  fc.assert(fc.asyncProperty(fc.array(line, { maxLength: 60 }), fc.constantFrom("\n", "\r\n"), fc.boolean(), shape, (lines, end, terminated, how) =>
    withTempDir(async (dir) => {
      const content = lines.join(end) + (terminated && lines.length > 0 ? end : "");
      // A last empty line without its end is no line.
      const expected = !terminated && lines.at(-1) === "" ? lines.slice(0, -1) : lines;
      writeFiles(dir, encoded(content, "f.txt", how.compressed));
      sameMultiset((await readWithFailures(FileSource.lines(dir, how), how)).records, expected);
    })), runs));

test("JSON lines with malformed ones aside", () =>
  fc.assert(fc.asyncProperty(fc.array(fc.oneof(fc.jsonValue(), fc.constant(undefined)), { maxLength: 60 }), shape, (values, how) =>
    withTempDir(async (dir) => {
      writeFiles(dir, encoded(values.map((v) => (v === undefined ? "{broken" : JSON.stringify(v))).join("\n"), "f.jsonl", how.compressed));
      const { records, side } = await readWithFailures(FileSource.jsonLines(dir, { ...how, onError: "side-output" }), how);
      sameMultiset(records, values.filter((v) => v !== undefined));
      const lines = (side as { line: number }[]).map((m) => m.line).sort((a, b) => a - b);
      assert.deepEqual(lines, values.flatMap((v, i) => (v === undefined ? [i + 1] : [])));
    })), runs));

test("CSV with and without newlines in fields", () =>
  fc.assert(fc.asyncProperty(fc.array(fc.record({ id: fc.maxSafeInteger(), text, last: text }), { maxLength: 40 }), fc.boolean(), fc.boolean(), shape, (rows, quotedNewlines, bom, how) =>
    withTempDir(async (dir) => {
      const clean = rows.map((row) => ({ id: row.id, text: tidy(row.text, quotedNewlines), last: tidy(row.last, quotedNewlines) }));
      const body = clean.map((row) => `${row.id},${quoted(row.text)},${quoted(row.last)}`).join("\r\n");
      writeFiles(dir, encoded(`${bom ? "\uFEFF" : ""}last,id,text\n${clean.map((r) => `${quoted(r.last)},${r.id},${quoted(r.text)}`).join("\n")}`, "a.csv", how.compressed));
      writeFiles(dir, { "b/b.csv": body === "" ? "" : `id,text,last\n${body}\n` });
      const source = FileSource.csv(dir, { ...how, columns: { id: "int", text: "string", last: "string" }, quotedNewlines });
      sameMultiset((await readWithFailures(source, how)).records, [...clean, ...clean]);
    })), runs));

function tidy(value: string, newlines: boolean): string {
  const wellFormed = value.replace(/\p{Surrogate}/gu, "");
  return newlines ? wellFormed : wellFormed.replace(/[\r\n]/g, "");
}

function quoted(value: string): string {
  return /[",\r\n\uFEFF]/.test(value) || value.length % 3 === 0 ? `"${value.replaceAll('"', '""')}"` : value;
}
