import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LogDirectory } from "../../src/inspection/log-directory.js";
import { RotatingFile } from "../../src/inspection/rotating-file.js";

async function withDirectory(run: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-logs-"));
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function readAll(logs: LogDirectory, name: string): Promise<string> {
  let text = "";
  for (let offset = 0; ; ) {
    const { bytes } = await logs.read(name, offset);
    if (bytes.length === 0) return text;
    text += Buffer.from(bytes).toString();
    offset += bytes.length;
  }
}

test("a file that grows is put aside, and the oldest goes", () => withDirectory(async (directory) => {
  const file = new RotatingFile({ path: join(directory, "tm.log"), maxBytes: 10, maxFiles: 2 });
  for (const line of ["one\n", "two\n", "three\n", "longer than a whole file\n", "four\n", "five\n"]) file.write(line);
  file.close();
  const logs = new LogDirectory(directory, "tm");
  const contents = Object.fromEntries(await Promise.all((await logs.list()).map(async ({ name }) => [name, await readAll(logs, name)] as const)));
  assert.deepEqual(contents, { "tm.log": "four\nfive\n", "tm.log.1": "longer than a whole file\n", "tm.log.2": "three\n" });
  const next = new RotatingFile({ path: join(directory, "tm.log"), maxBytes: 10, maxFiles: 2 });
  next.write("again\n");
  assert.equal(await readAll(logs, "tm.log"), "again\n", "what an earlier run has left is put aside");
  assert.equal(await readAll(logs, "tm.log.1"), "four\nfive\n");
  next.close();
  next.write("after the end");
  assert.equal(readdirSync(directory).length, 3);
}));

test("a large file is read in pieces", () => withDirectory(async (directory) => {
  const text = "0123456789".repeat(100_000);
  writeFileSync(join(directory, "tm.out"), text);
  const logs = new LogDirectory(directory, "tm");
  assert.ok((await logs.read("tm.out", 0)).bytes.length < 500_000);
  assert.equal(await readAll(logs, "tm.out"), text);
}));

test("only the process's own files are listed and read", () => withDirectory(async (directory) => {
  writeFileSync(join(directory, "secret.log"), "secret");
  for (const name of ["tm.log", "other.log", "tm.logs", "tm.out.old", "tm.key", ".tm.log"]) writeFileSync(join(directory, name), "x");
  symlinkSync(join(directory, "secret.log"), join(directory, "tm.log.1"));
  const logs = new LogDirectory(directory, "tm");
  assert.deepEqual((await logs.list()).map(({ name, sizeBytes }) => [name, sizeBytes]), [["tm.log", 1]]);
  for (const name of ["secret.log", "other.log", "tm.key", "tm.log.1", "tm.log/../secret.log", "../tm.log", "tm.log\0", "", "tm", "tm.log.2"]) {
    await assert.rejects(logs.read(name, 0), { code: "LOG_UNKNOWN" }, name);
  }
  for (const offset of [-1, 0.5, Number.NaN]) await assert.rejects(logs.read("tm.log", offset), { code: "LOG_UNKNOWN" });
}));
