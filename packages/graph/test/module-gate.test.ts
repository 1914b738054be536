import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ModuleGate, type JobModule } from "../src/index.js";

const loaded = {} as JobModule;

test("a gate is closed between two modules, and nothing is loaded behind it", async () => {
  const parent = new ModuleGate();
  const thread = new ModuleGate(parent.shared);
  let end!: (module: JobModule) => void;
  const loading = thread.load(() => new Promise((resolve) => (end = resolve)));
  const waited: number[] = [];
  let isClosed = false;
  const closed = parent.close(async (ms) => {
    waited.push(ms);
    if (waited.length === 3) end(loaded);
    await new Promise(setImmediate);
  }).then(() => {
    isClosed = true;
  });
  assert.equal(await loading, loaded);
  await closed;
  assert.ok(isClosed && waited.length >= 3);
  let imported = 0;
  void thread.load(async () => {
    imported++;
    return loaded;
  });
  await new Promise(setImmediate);
  assert.equal(imported, 0);
});

test("a module that runs is not waited for, one that never does for the limit only", async () => {
  const gate = new ModuleGate();
  void gate.load(() => new Promise(() => undefined));
  let waits = 0;
  await gate.close(async () => void waits++, 20);
  assert.equal(waits, 20);
  gate.running();
  await gate.close(() => assert.fail("it waits"));
  const failing = new ModuleGate();
  await assert.rejects(failing.load(() => Promise.reject(new Error("as planned"))), /as planned/);
  await failing.close(() => assert.fail("it waits"));
});

test("threads that load modules with top-level await are terminated, and the process goes on", () => {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL("./terminations.mjs", import.meta.url)), "60"], { encoding: "utf8" });
  assert.equal(stdout, "60 terminated\n", stderr);
  assert.deepEqual([status, signal], [0, null]);
});
