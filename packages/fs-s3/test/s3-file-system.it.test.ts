import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { FileReader, StagedFile } from "@millrace/core";
import { S3_ACCESS_KEY, S3_SECRET_KEY, S3Server, s3Missing } from "../../../tools/services/s3/s3-server.js";
import { S3FileSystem } from "../src/s3-file-system.js";
import { HttpFaultProxy } from "../../../tools/services/proxy/http-fault-proxy.js";

const skip = s3Missing() ?? false;
const credentials = { accessKeyId: S3_ACCESS_KEY, secretAccessKey: S3_SECRET_KEY };
const MIB = 1024 * 1024;

let server: S3Server;
let proxy: HttpFaultProxy;
let fs: S3FileSystem;
let base = "";
let tests = 0;

before(async () => {
  if (skip !== false) return;
  server = await S3Server.start();
  proxy = await HttpFaultProxy.start(server.port);
  fs = new S3FileSystem({ endpoint: proxy.url, credentials });
});
after(async () => {
  await proxy?.stop();
  await server?.remove();
});
beforeEach(() => {
  if (skip === false) proxy.fault = () => undefined;
  base = `s3://millrace/test-${tests++}`;
});

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (data: Uint8Array): string => Buffer.from(data).toString();
/** Bytes that differ from place to place. */
function pattern(length: number): Uint8Array {
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = (i * 31 + (i >>> 13)) & 255;
  return data;
}
async function drain(reader: FileReader, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let part = await reader.read(maxBytes); part !== undefined; part = await reader.read(maxBytes)) parts.push(part.slice());
  await reader.close();
  return Buffer.concat(parts);
}
async function write(path: string, data: Uint8Array, pieceBytes: number): Promise<void> {
  const writer = await fs.create(path);
  for (let from = 0; from < data.length; from += pieceBytes) await writer.write(data.subarray(from, from + pieceBytes));
  await writer.close();
  assert.equal(writer.positionBytes, data.length);
}

test("an object shows, whole, when it is closed; small ones in one request, large ones in parts", { skip }, async () => {
  for (const size of [0, 5, 8 * MIB, 8 * MIB + 1, 20 * MIB]) {
    const data = pattern(size);
    const path = `${base}/deep/er/${size}`;
    const writer = await fs.create(path);
    const writing: Promise<void>[] = [];
    for (let from = 0; from < size; from += 3 * MIB) writing.push(writer.write(data.subarray(from, from + 3 * MIB)));
    await Promise.all(writing);
    assert.equal(await fs.status(path), undefined);
    await writer.close();
    await writer.close();
    await assert.rejects(writer.write(bytes("x")), { code: "FILE_CLOSED" });
    assert.equal((await fs.status(path))?.sizeBytes, size);
    assert.ok(Buffer.from(data).equals(await fs.readFile(path)));
  }
  assert.deepEqual(await fs.stagedFiles().then((staged) => staged.list(base)), [], "no upload is left open");
});

test("read gives the bytes from any place", { skip }, async () => {
  await fs.writeAtomic(`${base}/r`, bytes("0123456789"));
  assert.equal(text(await drain(await fs.read(`${base}/r`), 4)), "0123456789");
  assert.equal(text(await drain(await fs.read(`${base}/r`, 7), 2)), "789");
  assert.equal(text(await drain(await fs.read(`${base}/r`, 10), 2)), "");
  const reader = await fs.read(`${base}/r`);
  const into = new Uint8Array(4);
  assert.equal((await reader.read(4, into))!.buffer, into.buffer);
  await reader.close();
  assert.equal(await reader.read(4), undefined);
});

test("a transfer that breaks off is continued, on the same version only", { skip }, async () => {
  const data = pattern(3 * MIB);
  await fs.writeAtomic(`${base}/big`, data);
  let cuts = 0;
  proxy.fault = (method) => (method === "GET" && cuts++ < 4 ? { kind: "cut", afterBytes: 300_000 } : undefined);
  assert.ok(Buffer.from(data).equals(await drain(await fs.read(`${base}/big`), 100_000)));
  assert.ok(cuts > 4);
  cuts = 0;
  const reader = await fs.read(`${base}/big`);
  await reader.read(10);
  await fs.writeAtomic(`${base}/big`, pattern(4 * MIB).reverse());
  await assert.rejects(drain(reader, 100_000), { code: "FILE_CHANGED" });
});

test("500, 503 and lost answers are tried again", { skip }, async () => {
  let requests = 0;
  const kinds = [{ kind: "status", status: 500 }, { kind: "status", status: 503 }, { kind: "lost answer" }] as const;
  proxy.fault = () => (requests++ % 2 === 0 ? kinds[(requests >> 1) % 3] : undefined);
  const before = proxy.faults;
  const data = pattern(10 * MIB);
  await write(`${base}/a/x`, data, 2 * MIB);
  assert.ok(Buffer.from(data).equals(await fs.readFile(`${base}/a/x`)));
  await fs.writeAtomic(`${base}/a/y`, bytes("y"));
  assert.deepEqual((await fs.list(`${base}/a`)).map(({ path }) => path), [`${base}/a/x`, `${base}/a/y`]);
  await fs.delete(`${base}/a`);
  assert.deepEqual(await fs.list(`${base}/a`), []);
  assert.ok(proxy.faults - before >= 5);
});

test("a store that stays away is an error after which a job restarts", { skip }, async () => {
  const impatient = new S3FileSystem({ endpoint: proxy.url, credentials, maxAttempts: 2 });
  proxy.fault = () => ({ kind: "status", status: 503 });
  await assert.rejects(impatient.readFile(`${base}/x`), { code: "S3_REQUEST_FAILED", recovery: "restart", message: new RegExp(`${base}/x`) });
  await assert.rejects(impatient.writeAtomic(`${base}/x`, bytes("x")), { code: "S3_REQUEST_FAILED" });
  const writer = await impatient.create(`${base}/x`);
  await writer.write(bytes("x"));
  await assert.rejects(writer.close(), { code: "S3_REQUEST_FAILED" });
});

test("listing tells objects from directories, page by page, and delete takes a whole directory", { skip }, async () => {
  const names = Array.from({ length: 30 }, (_, i) => `f${String(i).padStart(2, "0")} ü%+`);
  await Promise.all(names.map((name) => fs.writeAtomic(`${base}/d/${name}`, bytes(name))));
  await fs.writeAtomic(`${base}/d/sub/x`, bytes("x"));
  await fs.writeAtomic(`${base}/d2`, bytes("beside"));
  assert.deepEqual((await fs.list(`${base}/d`)).map(({ path, isDirectory, sizeBytes }) => [path, isDirectory, sizeBytes]),
    [...names.map((name) => [`${base}/d/${name}`, false, Buffer.byteLength(name)]), [`${base}/d/sub`, true, 0]]);
  assert.equal((await fs.status(`${base}/d`))?.isDirectory, true);
  assert.equal((await fs.status("s3://millrace"))?.isDirectory, true);
  assert.equal(await fs.status(`${base}/nothing`), undefined);
  await fs.delete(`${base}/d`);
  await fs.delete(`${base}/d`);
  assert.deepEqual((await fs.list(base)).map(({ path }) => path), [`${base}/d2`]);
  await assert.rejects(fs.delete("s3://millrace"), { code: "FILE_ACCESS_DENIED" });
});

test("createExclusive lets exactly one of many callers create; rename copies and deletes", { skip }, async () => {
  const won = await Promise.all(Array.from({ length: 8 }, (_, i) => fs.createExclusive(`${base}/claim`, bytes(`caller ${i}`))));
  assert.equal(won.filter((created) => created).length, 1);
  assert.equal(text(await fs.readFile(`${base}/claim`)), `caller ${won.indexOf(true)}`);
  await fs.rename(`${base}/claim`, `${base}/other place/ü`);
  assert.equal(await fs.status(`${base}/claim`), undefined);
  assert.match(text(await fs.readFile(`${base}/other place/ü`)), /^caller/);
  await assert.rejects(fs.resume(`${base}/claim`), { code: "FILE_OPERATION_UNSUPPORTED" });
});

test("missing objects, missing buckets and wrong keys are told apart", { skip }, async () => {
  await assert.rejects(fs.readFile(`${base}/x`), { code: "FILE_NOT_FOUND", message: /no such object/ });
  await assert.rejects(fs.readFile("s3://nowhere/x"), { code: "FILE_NOT_FOUND", message: /no such bucket/ });
  await assert.rejects(fs.status("s3://nowhere/x"), { code: "FILE_NOT_FOUND" });
  const stranger = new S3FileSystem({ endpoint: proxy.url, credentials: { accessKeyId: "who", secretAccessKey: "x" } });
  await assert.rejects(stranger.readFile(`${base}/x`), { code: "FILE_ACCESS_DENIED" });
  const liar = new S3FileSystem({ endpoint: proxy.url, credentials: { ...credentials, secretAccessKey: "wrong" } });
  await assert.rejects(liar.writeAtomic(`${base}/x`, bytes("x")), (error: Error & { code: string }) => error.code === "FILE_ACCESS_DENIED" && !error.message.includes("wrong-"));
  await assert.rejects(fs.read("s3://"), { code: "PATH_INVALID" });
});

async function stage(path: string, data: Uint8Array): Promise<StagedFile> {
  const writer = await (await fs.stagedFiles()).create(path);
  await writer.write(data);
  const file = await writer.stage();
  await writer.close();
  return file;
}

test("a staged file shows when it is committed, by any process, after the server was killed, once", { skip }, async () => {
  const data = pattern(9 * MIB);
  const file = JSON.parse(JSON.stringify(await stage(`${base}/out/part`, data))) as StagedFile;
  assert.equal(file.sizeBytes, data.length);
  assert.deepEqual(await fs.list(`${base}/out`), []);
  await server.process.stop();
  await server.process.start();
  const other = await new S3FileSystem({ endpoint: server.url, credentials }).stagedFiles();
  assert.equal(await other.commit(file), "committed");
  assert.ok(["committed", "already committed"].includes(await other.commit(file)));
  assert.ok(Buffer.from(data).equals(await fs.readFile(file.path)));
});

test("a commit whose answer is lost has happened", { skip }, async () => {
  const staged = await fs.stagedFiles();
  const file = await stage(`${base}/lost-answer`, bytes("rows"));
  let lost = 0;
  proxy.fault = (method, url) => (method === "POST" && url.includes("uploadId") && lost++ === 0 ? { kind: "lost answer" } : undefined);
  assert.ok(["committed", "already committed"].includes(await staged.commit(file)));
  assert.equal(text(await fs.readFile(file.path)), "rows");
});

test("a commit overwrites nothing, and tells a lost file from a committed one", { skip }, async () => {
  const staged = await fs.stagedFiles();
  const taken = await stage(`${base}/taken`, bytes("mine"));
  await fs.writeAtomic(taken.path, bytes("somebody else's"));
  assert.equal(await staged.commit(taken), "conflict");
  assert.equal(text(await fs.readFile(taken.path)), "somebody else's");
  await fs.writeAtomic(taken.path, bytes("MINE"));
  assert.equal(await staged.commit(taken), "conflict", "as long, and the upload is still open");
  const gone = await stage(`${base}/gone`, bytes("rows"));
  await staged.discard(gone);
  await staged.discard(gone);
  assert.equal(await staged.commit(gone), "lost");
});

test("what was begun is listed until it is committed or thrown away", { skip }, async () => {
  const staged = await fs.stagedFiles();
  const [a, b] = [await stage(`${base}/x/a`, bytes("a")), await stage(`${base}/x/b`, bytes("b"))];
  await stage(`${base}/xy`, bytes("beside"));
  const closed = await staged.create(`${base}/x/c`);
  await closed.write(bytes("c"));
  await closed.close();
  assert.deepEqual((await staged.list(`${base}/x`)).map(({ path }) => path).sort(), [a.path, b.path]);
  await staged.commit(a);
  for (const file of await staged.list(`${base}/x`)) await staged.discard(file);
  assert.deepEqual(await staged.list(`${base}/x`), []);
  assert.deepEqual((await fs.list(`${base}/x`)).map(({ path }) => path), [a.path]);
});
