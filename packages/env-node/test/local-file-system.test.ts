import assert from "node:assert/strict";
import * as nodeFs from "node:fs";
import * as os from "node:os";
import * as nodePath from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { isMillraceError, type FileReader } from "@millrace/core";
import { fileError } from "../src/file-errors.js";
import { LocalFileWriter } from "../src/local-file-streams.js";
import { LocalFileSystem } from "../src/local-file-system.js";

const fs = new LocalFileSystem();
let root = "";
before(() => {
  root = nodeFs.mkdtempSync(nodePath.join(os.tmpdir(), "millrace-fs-"));
});
after(() => nodeFs.rmSync(root, { recursive: true }));

const at = (...parts: string[]): string => nodePath.join(root, ...parts);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (data: Uint8Array): string => Buffer.from(data).toString();
const withCode = (code: string, path?: string) => (error: unknown): boolean =>
  isMillraceError(error) && error.code === code && (path === undefined || error.message.includes(path));

async function drain(reader: FileReader, maxBytes: number): Promise<string[]> {
  const parts: string[] = [];
  for (let part = await reader.read(maxBytes); part !== undefined; part = await reader.read(maxBytes)) parts.push(text(part));
  await reader.close();
  return parts;
}

test("create makes parents, truncates, and counts bytes", async () => {
  const path = at("deep", "er", "file");
  for (const content of ["first, longer", "second"]) {
    const writer = await fs.create(path);
    await Promise.all([writer.write(bytes(content)), writer.write(bytes("!"))]);
    assert.equal(writer.positionBytes, content.length + 1);
    await writer.sync();
    await writer.close();
    await writer.close();
    assert.equal(text(await fs.readFile(path)), `${content}!`);
    await assert.rejects(writer.write(bytes("x")), withCode("FILE_CLOSED"));
  }
});

test("read gives the bytes in order, from any place, in arrays of the caller's", async () => {
  await fs.writeAtomic(at("r"), bytes("0123456789"));
  assert.deepEqual(await drain(await fs.read(at("r")), 4), ["0123", "4567", "89"]);
  assert.deepEqual(await drain(await fs.read(at("r"), 7), 100), ["789"]);
  assert.deepEqual(await drain(await fs.read(at("r"), 10), 100), []);
  const reader = await fs.read(at("r"));
  const first = await reader.read(2);
  await reader.read(2);
  assert.equal(text(first!), "01");
  await reader.close();
});

test("resume cuts the file and appends", async () => {
  await fs.writeAtomic(at("resume"), bytes("committed,not committed"));
  const writer = await fs.resume(at("resume"), 10);
  assert.equal(writer.positionBytes, 10);
  await writer.write(bytes("again"));
  await writer.close();
  assert.equal(text(await fs.readFile(at("resume"))), "committed,again");
  await assert.rejects(fs.resume(at("resume"), 100), withCode("FILE_TOO_SHORT", at("resume")));
  await assert.rejects(fs.resume(at("missing"), 0), withCode("FILE_NOT_FOUND"));
});

test("createExclusive lets exactly one of many callers create, and leaves nothing else", async () => {
  const path = at("exclusive", "claim");
  const won = await Promise.all(Array.from({ length: 20 }, (_, i) => fs.createExclusive(path, bytes(`caller ${i}`))));
  assert.equal(won.filter((created) => created).length, 1);
  assert.equal(text(await fs.readFile(path)), `caller ${won.indexOf(true)}`);
  assert.deepEqual(nodeFs.readdirSync(at("exclusive")), ["claim"]);
});

test("writeAtomic makes parents, replaces, and leaves nothing else", async () => {
  const path = at("atomic", "file");
  await fs.writeAtomic(path, bytes("one"));
  await fs.writeAtomic(path, bytes("two"));
  assert.equal(text(await fs.readFile(path)), "two");
  assert.deepEqual((await fs.list(at("atomic"))).map((entry) => entry.path), [path]);
  await fs.mkdirs(at("atomic", "taken"));
  await assert.rejects(fs.writeAtomic(at("atomic", "taken"), bytes("x")), isMillraceError);
  assert.equal((await fs.list(at("atomic"))).length, 2);
});

test("readers see all of an atomic write or none", async () => {
  const path = at("race");
  await fs.writeAtomic(path, new Uint8Array(100_000).fill(1));
  const writing = (async () => {
    for (let i = 2; i < 12; i++) await fs.writeAtomic(path, new Uint8Array(100_000).fill(i));
  })();
  for (let i = 0; i < 30; i++) {
    const seen = await fs.readFile(path);
    assert.equal(seen.length, 100_000);
    assert.ok(seen.every((byte) => byte === seen[0]));
  }
  await writing;
});

test("rename replaces, status tells, list sorts, delete forgives", async () => {
  await fs.writeAtomic(at("d", "b"), bytes("bb"));
  await fs.writeAtomic(at("d", "a"), bytes("a"));
  await fs.mkdirs(at("d", "c", "inner"));
  await fs.rename(at("d", "b"), at("d", "a"));
  const entries = await fs.list(at("d"));
  assert.deepEqual(entries.map(({ path, sizeBytes, isDirectory }) => [path, sizeBytes, isDirectory]), [[at("d", "a"), 2, false], [at("d", "c"), 0, true]]);
  assert.ok(Number.isInteger(entries[0]!.modifiedMs) && Math.abs(entries[0]!.modifiedMs - Date.now()) < 60_000);
  assert.equal(await fs.status(at("d", "nothing")), undefined);
  assert.equal(await fs.status(at("d", "a", "below a file")), undefined);
  await assert.rejects(fs.rename(at("d", "nothing"), at("d", "x")), withCode("FILE_NOT_FOUND"));
  await fs.delete(at("d"));
  await fs.delete(at("d"));
  assert.equal(await fs.status(at("d")), undefined);
  await assert.rejects(fs.list(at("d")), withCode("FILE_NOT_FOUND"));
  await assert.rejects(fs.delete("/"), withCode("FILE_ACCESS_DENIED"));
});

test("paths are absolute, URLs are paths", async () => {
  await fs.writeAtomic(at("u r l"), bytes("x"));
  assert.equal(text(await fs.readFile(pathToFileURL(at("u r l")).href)), "x");
  await assert.rejects(fs.readFile("relative/file"), withCode("PATH_NOT_ABSOLUTE", "relative/file"));
});

test("errors have the documented codes and name the file", async () => {
  await assert.rejects(fs.readFile(at("no")), withCode("FILE_NOT_FOUND", at("no")));
  await assert.rejects(fs.read(at("no")), withCode("FILE_NOT_FOUND"));
  await fs.mkdirs(at("dir"));
  await assert.rejects(fs.read(at("dir")), withCode("FILE_IS_DIRECTORY"));
  await assert.rejects(fs.create(at("dir")), withCode("FILE_IS_DIRECTORY"));
  const code = (errno: string): string => fileError(Object.assign(new Error("x"), { code: errno }), "write", "/f").code;
  assert.deepEqual(["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EIO"].map(code),
    ["FILE_ACCESS_DENIED", "FILE_ACCESS_DENIED", "FILE_ACCESS_DENIED", "DISK_FULL", "DISK_FULL", "FILE_IO_FAILED"]);
});

test("a full disk is DISK_FULL, and the writer stays failed", { skip: !nodeFs.existsSync("/dev/full") && "needs /dev/full" }, async () => {
  const writer = new LocalFileWriter(await nodeFs.promises.open("/dev/full", "r+"), "/dev/full", 0, async () => {});
  await assert.rejects(writer.write(bytes("x")), withCode("DISK_FULL", "/dev/full"));
  await assert.rejects(writer.sync(), withCode("DISK_FULL"));
  await assert.rejects(writer.close(), withCode("DISK_FULL"));
});
