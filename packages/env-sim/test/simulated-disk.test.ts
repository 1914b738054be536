import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyWorld, settle } from "./world.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array | undefined): string | undefined => (content === undefined ? undefined : new TextDecoder().decode(content));

test("what was synced survives a loss of power, what was only written is torn or gone, and so is a name", async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const { simulation, disk, process } = emptyWorld(seed);
    const { fs } = process("writer", "host").env;
    await settle(simulation, (async () => {
      const writer = await fs.create("/a/synced");
      await writer.write(bytes("12345"));
      await writer.sync();
      await writer.write(bytes("67890"));
      await (await fs.create("/a/new")).write(bytes("abc"));
    })());
    disk.losePower("host");
    assert.equal(text(disk.peek("/a/synced"))!.slice(0, 5), "12345");
    const left = disk.peek("/a/synced")!.length;
    seen.add(left === 5 ? "gone" : left < 10 ? "torn" : "whole");
    seen.add(disk.peek("/a/new") === undefined ? "no name" : "name");
  }
  assert.deepEqual([...seen].sort(), ["gone", "name", "no name", "torn", "whole"]);
});

test("an atomic write is there whole or not at all, also when the process dies in it", async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const { simulation, disk, process } = emptyWorld(seed);
    const writer = process("writer");
    void writer.env.fs.writeAtomic("/a/file", bytes("content"));
    simulation.schedule(seed * 20, () => writer.kill("killed"));
    await simulation.run(() => false, 100);
    seen.add(text(disk.peek("/a/file")) ?? "nothing");
    if (disk.paths.some((path) => path.endsWith(".tmp"))) seen.add("a temporary file");
  }
  assert.deepEqual([...seen].sort(), ["a temporary file", "content", "nothing"]);
});

test("nothing of a dead process goes on, and what it had asked for may still happen", async () => {
  const effects = new Set<boolean>();
  for (let seed = 1; seed <= 30; seed++) {
    const { simulation, disk, process } = emptyWorld(seed);
    const writer = process("writer");
    let answered = false;
    void writer.env.fs.create("/file").then(() => (answered = true));
    writer.kill("killed");
    await simulation.run(() => false, 100);
    assert.equal(answered, false);
    effects.add(disk.peek("/file") !== undefined);
  }
  assert.equal(effects.size, 2);
});

test("of several who create a file exclusively, one does", async () => {
  const { simulation, process } = emptyWorld(5);
  const contenders = ["a", "b", "c"].map((name) => process(name).env.fs.createExclusive("/lock", bytes(name)));
  assert.deepEqual((await settle(simulation, Promise.all(contenders))).sort(), [false, false, true]);
});

test("a disk that is full refuses, one that loses replies does what it says it could not", async () => {
  const { simulation, disk, process } = emptyWorld(6);
  const { fs } = process("writer", "host").env;
  disk.faults.set("host", { full: true });
  await assert.rejects(settle(simulation, fs.writeAtomic("/file", bytes("x"))), { code: "DISK_FULL" });
  disk.faults.set("host", { lostReplies: 1 });
  await assert.rejects(settle(simulation, fs.rename("/none", "/other")), { code: "FILE_NOT_FOUND" });
  disk.faults.heal();
  await settle(simulation, fs.writeAtomic("/file", bytes("x")));
  disk.faults.set("host", { lostReplies: 1 });
  await assert.rejects(settle(simulation, fs.rename("/file", "/other")), { code: "FILE_IO_FAILED" });
  assert.equal(text(disk.peek("/other")), "x");
});

test("a file is resumed at its length, and read from a position", async () => {
  const { simulation, disk, process } = emptyWorld(7);
  const { fs } = process("writer").env;
  await settle(simulation, fs.writeAtomic("/d/file", bytes("0123456789")));
  await settle(simulation, (async () => {
    const writer = await fs.resume("/d/file", 4);
    await Promise.all([writer.write(bytes("ab")), writer.write(bytes("cd"))]);
    assert.equal(writer.positionBytes, 8);
    await writer.close();
    const reader = await fs.read("/d/file", 3);
    const parts: Uint8Array[] = [];
    for (let part = await reader.read(2); part !== undefined; part = await reader.read(2)) parts.push(part);
    assert.equal(parts.map(text).join(""), "3abcd");
    await assert.rejects(fs.resume("/d/file", 100), { code: "FILE_TOO_SHORT" });
    assert.deepEqual((await fs.list("/d")).map(({ path, sizeBytes }) => [path, sizeBytes]), [["/d/file", 8]]);
    await fs.delete("/d");
    assert.equal(await fs.status("/d/file"), undefined);
  })());
  assert.deepEqual(disk.paths, []);
});

test("a disk that hangs holds up one operation, and the others go on", async () => {
  const { simulation, disk, process } = emptyWorld(7);
  const { fs } = process("writer", "host").env;
  disk.faults.hang("host", "/slow", 500);
  const done: string[] = [];
  const write = async (path: string): Promise<void> => {
    await fs.writeAtomic(path, bytes("content"));
    done.push(`${path} ${simulation.nowMs < 500 ? "at once" : "late"}`);
  };
  await settle(simulation, Promise.all([write("/a/slow"), write("/a/other")]));
  await settle(simulation, write("/a/slow"));
  assert.deepEqual(done, ["/a/other at once", "/a/slow late", "/a/slow late"]);
  assert.equal(disk.faults.struck.hung, 1);
});

test("a disk that fails for some paths does what is asked of others", async () => {
  const { simulation, disk, process } = emptyWorld(8);
  const { fs } = process("writer", "host").env;
  disk.faults.set("host", { failing: 1, only: /\/_metadata$/ });
  await settle(simulation, fs.writeAtomic("/chk-1/state", bytes("x")));
  await assert.rejects(settle(simulation, fs.writeAtomic("/chk-1/_metadata", bytes("x"))), { code: "FILE_IO_FAILED" });
  disk.faults.set("host", { lostReplies: 1, only: /\/_metadata$/ });
  await settle(simulation, fs.rename("/chk-1/state", "/chk-1/other"));
  assert.equal(text(disk.peek("/chk-1/other")), "x");
});
