import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileSystem } from "@millrace/testkit";
import { SchemeFileSystem, type LoadFileSystem } from "../src/scheme-file-system.js";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** In memory, under paths with a scheme. */
class RemoteFileSystem extends MemoryFileSystem {
  override readFile(path: string): Promise<Uint8Array> {
    return super.readFile(bare(path));
  }
  override status(path: string): ReturnType<MemoryFileSystem["status"]> {
    return super.status(bare(path));
  }
  override writeAtomic(path: string, content: Uint8Array): Promise<void> {
    return super.writeAtomic(bare(path), content);
  }
  override rename(from: string, to: string): Promise<void> {
    return super.rename(bare(from), bare(to));
  }
  override mkdirs(path: string): Promise<void> {
    return super.mkdirs(bare(path));
  }
}

function bare(path: string): string {
  return path.replace(/^s3a?:\//i, "");
}

function world(load?: LoadFileSystem) {
  const [local, remote] = [new MemoryFileSystem(), new RemoteFileSystem()];
  const loaded: string[] = [];
  const fs = new SchemeFileSystem(local, load ?? (async (name) => {
    loaded.push(name);
    return { createFileSystem: () => remote };
  }));
  return { fs, local, remote, loaded };
}

test("a path's scheme says where its file is; the package is loaded once, when it is needed", async () => {
  const { fs, local, remote, loaded } = world();
  await fs.writeAtomic("/a/here", bytes("local"));
  assert.deepEqual(loaded, []);
  await Promise.all([fs.writeAtomic("s3://b/x", bytes("remote")), fs.mkdirs("S3A://b/y")]);
  assert.deepEqual(loaded, ["@millrace/fs-s3"]);
  assert.equal((await local.status("/a/here"))?.sizeBytes, 5);
  assert.equal((await remote.status("/b/x"))?.sizeBytes, 6);
  assert.equal(Buffer.from(await fs.readFile("s3://b/x")).toString(), "remote");
  await fs.rename("s3://b/x", "s3://b/z");
  assert.equal(await fs.status("s3://b/x"), undefined);
  assert.equal(await fs.stagedFiles("/a"), undefined);
});

test("paths are resolved by their scheme", () => {
  const { fs } = world();
  assert.equal(fs.resolve("s3://bucket/dir//"), "s3://bucket/dir");
  assert.equal(fs.resolve("s3://bucket"), "s3://bucket");
  assert.throws(() => fs.resolve("hdfs://host/x"), { code: "FILE_SYSTEM_UNKNOWN", hint: /s3:\/\// });
});

test("what cannot be done says why", async () => {
  const { fs } = world();
  await assert.rejects(fs.read("gopher://x/y"), { code: "FILE_SYSTEM_UNKNOWN" });
  await assert.rejects(fs.rename("/a", "s3://b/a"), { code: "FILE_OPERATION_UNSUPPORTED" });
  const missing = world(() => Promise.reject(Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" })));
  await assert.rejects(missing.fs.readFile("s3://b/x"), { code: "FILE_SYSTEM_MISSING", hint: /npm install @millrace\/fs-s3/ });
  const broken = world(() => Promise.reject(new Error("it is broken")));
  await assert.rejects(broken.fs.readFile("s3://b/x"), { message: "it is broken" });
});
