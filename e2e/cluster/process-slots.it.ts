import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster, isAlive, kill, slotProcesses, until } from "./processes.js";

/* Slots as processes (`slot.isolation: process`): what ends one of them ends nothing else. */
const job = (name: string): string => fileURLToPath(new URL(`../../packages/cli/test/jobs/${name}`, import.meta.url));
const tells = fileURLToPath(new URL("./jobs/tells-process.ts", import.meta.url));
const restarts = ["-D", "restart-strategy.type=fixed-delay", "-D", "restart-strategy.fixed-delay.attempts=3", "-D", "restart-strategy.fixed-delay.delay=10 ms"];

let cluster: LocalCluster;
before(async () => {
  cluster = await LocalCluster.start(1, { "slot.isolation": "process", "taskmanager.numberOfTaskSlots": "2", "task.cancellation.timeout": "200 ms" });
});
after(() => cluster.stop());

async function submit(...args: readonly string[]): Promise<string> {
  const { output } = await cluster.run("run", "-d", "-m", cluster.address, ...args);
  const found = /JobID ([0-9a-f]{32})/.exec(output);
  assert.ok(found, output);
  return found[1]!;
}

/** The processes that a job has said it runs in, in order. */
const processesOf = (name: string): number[] => [...new Set([...cluster.taskManagers[0]!.output().matchAll(new RegExp(`${name} in process (\\d+)\\.`, "g"))].map((match) => Number(match[1])))];

test("kill -9 of a slot's process restarts its job in a new one; another job beside it does not notice", { skip: !existsSync("/proc/self") }, async () => {
  const taskManager = cluster.taskManagers[0]!.child.pid!;
  const [killed, beside] = [await submit(...restarts, tells, "A"), await submit(...restarts, tells, "B")];
  await until(() => processesOf("A").length === 1 && processesOf("B").length === 1);
  const [[victim], [other]] = [processesOf("A"), processesOf("B")] as [[number], [number]];
  assert.equal(new Set([victim, other, taskManager]).size, 3);
  process.kill(victim, "SIGKILL");
  await until(() => processesOf("A").length === 2);
  const client = await cluster.client();
  assert.equal((await client.ask("jobMetrics", { jobId: killed })).restarts, 1);
  assert.equal((await client.ask("jobMetrics", { jobId: beside })).restarts, 0);
  assert.deepEqual(processesOf("B"), [other]);
  assert.ok(isAlive(taskManager) && !isAlive(victim));
  for (const jobId of [killed, beside]) await client.ask("cancelJob", { jobId });
  client.close();
});

test("a process that waits for a job and is killed is replaced", { skip: !existsSync("/proc/self") }, async () => {
  const { pid } = cluster.taskManagers[0]!.child;
  await until(() => slotProcesses(pid!).length === 2);
  const [victim] = slotProcesses(pid!);
  kill(victim!);
  await until(() => slotProcesses(pid!).length === 2 && !slotProcesses(pid!).includes(victim!));
  const { code, output } = await cluster.run("run", "-m", cluster.address, "-p", "2", job("word-count.ts"));
  assert.equal(code, 0, output);
  assert.match(output, /\d> be 2$/m);
});

test("a job that fills its heap, aborts, or exits is told which", async () => {
  const memory = await cluster.run("run", "-m", cluster.address, job("out-of-memory.ts"));
  assert.notEqual(memory.code, 0);
  const abort = await cluster.run("run", "-m", cluster.address, tells, "C", "abort");
  assert.notEqual(abort.code, 0);
  assert.match(abort.output, /SLOT_LOST[^]*SIGABRT|SIGABRT[^]*SLOT_LOST/);
  assert.match(memory.output, /SLOT_OUT_OF_MEMORY/);
  const after = await cluster.run("run", "-m", cluster.address, "-p", "2", job("word-count.ts"));
  assert.equal(after.code, 0, after.output);
});

test("threads and processes give the same results", async () => {
  const run = async (file: string, ...args: readonly string[]): Promise<string[]> => {
    const { code, output } = await cluster.run("run", "-p", "3", "-D", "execution.runtime-mode=BATCH", ...args, job(file));
    assert.equal(code, 0, output);
    return output.split("\n").filter((line) => /^(groups|\d> )/.test(line)).sort();
  };
  for (const file of ["batch-shuffle.ts", "word-count.ts"]) {
    const threads = await run(file, "-D", "slot.isolation=thread");
    assert.ok(threads.length > 0);
    assert.deepEqual(await run(file, "-D", "slot.isolation=process"), threads, file);
  }
});

test("slots end with their TaskManager, one in an endless loop included", { skip: !existsSync("/proc/self") }, async () => {
  const taskManager = cluster.taskManagers[0]!;
  await submit(job("spins.ts"));
  await until(() => taskManager.output().includes("spinning") || cluster.jobManager.output().includes("spinning"));
  await until(() => slotProcesses(taskManager.child.pid!).length === 2);
  const children = slotProcesses(taskManager.child.pid!);
  taskManager.child.kill("SIGKILL");
  await until(() => !children.some(isAlive));
});
