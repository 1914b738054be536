import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/* Runs the real binary. */
const bin = fileURLToPath(new URL("../../millrace/bin/millrace.js", import.meta.url));
const jobs = fileURLToPath(new URL("./jobs/", import.meta.url));

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[]): { child: ChildProcess; finished: Promise<Finished>; sees(text: string): Promise<void> } {
  const child = spawn(process.execPath, [bin, ...args], { cwd: jobs, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
  let out = "";
  let err = "";
  const waiting: { text: string; resolve: () => void }[] = [];
  const check = (): void => {
    for (const { text, resolve } of waiting) if ((out + err).includes(text)) resolve();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    check();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
    check();
  });
  const finished = new Promise<Finished>((resolve) => child.once("close", (code) => resolve({ code, out, err })));
  const sees = (text: string): Promise<void> => new Promise((resolve, reject) => {
    waiting.push({ text, resolve });
    void finished.then(() => reject(new Error(`"${text}" never came:\n${out}${err}`)));
    check();
  });
  return { child, finished, sees };
}

function run(...args: readonly string[]): Promise<Finished> {
  return start(args).finished;
}

test("a job runs on worker threads, and its program goes on with the result", async () => {
  const { code, out, err } = await run("run", "-p", "2", "word-count.ts", "a b a", "b");
  assert.equal(code, 0, err);
  const lines = out.trim().split("\n");
  assert.equal(lines.pop(), "after word count");
  assert.deepEqual(lines.map((line) => line.replace(/^\d+> /, "")).sort(), ["a 1", "a 2", "b 1", "b 2"]);
  assert.match(err, /finished "word count"/);
});

test("in batch mode each word comes once", async () => {
  const { code, out } = await run("run", "-q", "-D", "execution.runtime-mode=BATCH", "word-count.ts", "a b a", "b");
  assert.equal(code, 0);
  assert.deepEqual(out.trim().split("\n").sort(), ["a 2", "after word count", "b 2"]);
});

test("what a batch job exchanges beyond its memory waits in files, which go with the job", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-spill-"));
  const text = Array.from({ length: 15_000 }, (_, i) => `w${i % 3001}`).join(" ");
  const settings = ["-D", "execution.runtime-mode=BATCH", "-D", "taskmanager.memory.batch-exchange.size=1 kb", "-D", `io.tmp.dirs=${directory}`];
  const { code, out, err } = await run("run", "-q", "-p", "2", ...settings, "word-count.ts", text);
  assert.equal(code, 0, err);
  const lines = out.trim().split("\n").map((line) => line.replace(/^\d+> /, "")).filter((line) => line !== "after word count");
  assert.deepEqual(lines.sort(), Array.from({ length: 3001 }, (_, i) => `w${i} ${i < 15_000 % 3001 ? 5 : 4}`).sort());
  assert.deepEqual(await readdir(directory), []);
  await rm(directory, { recursive: true });
});

test("--inline runs the same in one thread", async () => {
  const { code, out, err } = await run("run", "--inline", "word-count.ts", "a b a");
  assert.equal(code, 0, err);
  assert.deepEqual(out.trim().split("\n").sort(), ["a 1", "a 2", "after word count", "b 1"]);
});

test("a default export builds the job; executeAndCollect works in the program", async () => {
  const exported = await run("run", "-q", "default-export.ts");
  assert.equal(exported.code, 0, exported.err);
  assert.deepEqual(exported.out.trim().split("\n"), ["10", "20", "30"]);
  const collected = await run("run", "-q", "-p", "2", "collect.ts");
  assert.equal(collected.code, 0, collected.err);
  assert.equal(collected.out, "collected 100\n");
});

test("what is wrong before the start exits with 2 and says where", async () => {
  const syntax = await run("run", "syntax-error.ts");
  assert.equal(syntax.code, 2);
  assert.match(syntax.err, /JOB_DOES_NOT_COMPILE: .*syntax-error\.ts:2:23: /);
  const never = await run("run", "never-executes.ts");
  assert.equal(never.code, 2);
  assert.match(never.err, /JOB_NOT_DEFINED/);
  const key = await run("run", "-D", "parallelism.defalt=2", "word-count.ts");
  assert.equal(key.code, 2);
  assert.match(key.err, /did you mean "parallelism\.default"\?/);
  assert.equal((await run("run", "no-such-file.ts")).code, 2);
  assert.equal((await run("run", "-p", "0", "word-count.ts")).code, 2);
  assert.equal((await run("rnu", "word-count.ts")).code, 2);
  const path = await run("run", "-s", join(jobs, "nowhere"), "word-count.ts");
  assert.equal(path.code, 2, path.err);
  assert.match(path.err, /CHECKPOINT_NOT_FOUND/);
});

test("a failing function is reported with the user's file and line, operator and subtask", async () => {
  const { code, err } = await run("run", "fails.ts");
  assert.equal(code, 1);
  assert.match(err, /RangeError: cannot parse 3/);
  assert.match(err, /fails\.ts:6:\d+/);
  assert.match(err, /operator: Parser, subtask 0/);
  assert.doesNotMatch(err, /packages\/runtime/);
  const verbose = await run("run", "--verbose", "fails.ts");
  assert.match(verbose.err, /node_modules\/.cache\/millrace\/library-|packages\/runtime/);
});

test("a second execute() is refused", async () => {
  const { code, err } = await run("run", "executes-twice.ts");
  assert.equal(code, 1);
  assert.match(err, /JOB_SECOND_EXECUTE/);
});

test("a module that builds another graph in a slot is refused by name", async () => {
  const { code, err } = await run("run", "not-deterministic.ts");
  assert.equal(code, 1);
  assert.match(err, /JOB_NOT_DETERMINISTIC/);
  assert.match(err, /Map in false/);
});

test("Ctrl-C stops a function that never returns", async () => {
  const job = start(["run", "-D", "task.cancellation.timeout=200 ms", "spins.ts"]);
  await job.sees("spinning");
  job.child.kill("SIGINT");
  const { code, err } = await job.finished;
  assert.equal(code, 130, err);
});

test("what user code prints arrives in whole lines under its task's name, once", async () => {
  const { code, out, err } = await run("run", "-p", "2", "logs.ts");
  assert.equal(code, 0, err);
  assert.equal(out.match(/top level/g)?.length, 1);
  const label = String.raw`\[[^\]]*Logger[^\]]* \([12]/2\)\]`;
  for (const value of [1, 2]) {
    assert.match(err, new RegExp(`^${label} seen ${value}$`, "m"));
    assert.match(err, new RegExp(`^${label} in two parts ${value}$`, "m"));
    assert.match(err, new RegExp(`^${label} problem ${value}$`, "m"));
  }
});

test("a slot that runs out of memory, and a promise nobody awaits, fail the job with a clear message", async () => {
  const memory = await run("run", "-D", "taskmanager.memory.task.heap.size=64 mb", "out-of-memory.ts");
  assert.equal(memory.code, 1);
  assert.match(memory.err, /SLOT_OUT_OF_MEMORY: .*64 MiB/);
  const unhandled = await run("run", "unhandled.ts");
  assert.equal(unhandled.code, 1);
  assert.match(unhandled.err, /nobody awaits this/);
});

test("env.once is evaluated once for all slots, and arguments reach them", async () => {
  const { code, out, err } = await run("run", "-q", "-p", "2", "once.ts", "--name", "x");
  assert.equal(code, 0, err);
  const lines = out.trim().split("\n").map((line) => line.replace(/^\d+> /, ""));
  assert.equal(lines.length, 4);
  assert.equal(new Set(lines).size, 1);
  assert.match(lines[0]!, /^x 0\.\d+ \d+$/);
});

test("a failure on workers goes back to the last checkpoint, and every result is seen once", async () => {
  for (const failAt of [150, 701, 1500]) {
    const { code, out, err } = await run("run", "-p", "2", "-D", "execution.checkpointing.interval=50 ms", "-D", "restart-strategy.exponential-delay.initial-backoff=10 ms",
      "counts-for-ever.ts", "--count", "2000", "--fail-at", String(failAt));
    assert.equal(code, 0, err);
    assert.match(err, /1 restart$/m);
    const lines = out.trim().split("\n");
    assert.equal(lines.pop(), "total 2000");
    const expected = Array.from({ length: 10 }, (_, key) => Array.from({ length: 200 }, (_, i) => `${key}:${i + 1}`)).flat();
    assert.deepEqual(lines.sort(), expected.sort(), `failed at ${failAt}`);
  }
});

test("a cancelled job goes on from its retained checkpoint at another parallelism", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-cli-"));
  try {
    const settings = ["-D", "execution.checkpointing.interval=100 ms", "-D", `execution.checkpointing.dir=${directory}`,
      "-D", "execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION"];
    const first = start(["run", "-p", "2", ...settings, "counts-for-ever.ts", "--count", "10000"]);
    await first.sees(":20\n");
    first.child.kill("SIGINT");
    const cancelled = await first.finished;
    assert.equal(cancelled.code, 130, cancelled.err);
    const [path = ""] = /\S+\/chk-\d+/.exec(cancelled.err) ?? [];
    assert.ok(path.startsWith(directory), cancelled.err);
    const second = await run("run", "-p", "3", ...settings, "-s", path, "counts-for-ever.ts", "--count", "10000");
    assert.equal(second.code, 0, second.err);
    const lines = [...cancelled.out.trim().split("\n"), ...second.out.trim().split("\n").filter((line) => !line.startsWith("total"))];
    const expected = Array.from({ length: 10 }, (_, key) => Array.from({ length: 1000 }, (_, i) => `${key}:${i + 1}`)).flat();
    assert.deepEqual(lines.sort(), expected.sort());
    const other = await run("run", ...settings, "-s", path, "word-count.ts");
    assert.equal(other.code, 2, other.err);
    assert.match(other.err, /CHECKPOINT_STATE_UNMATCHED: .*uid "count"/);
    const dropped = await run("run", "-n", ...settings, "-s", path, "word-count.ts", "a");
    assert.equal(dropped.code, 0, dropped.err);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("info prints the plan, help the examples and exit codes", async () => {
  const info = await run("info", "-p", "3", "word-count.ts");
  assert.equal(info.code, 0, info.err);
  assert.equal((JSON.parse(info.out) as { nodes: { parallelism: number }[] }).nodes.at(-1)!.parallelism, 3);
  const help = await run("--help");
  assert.equal(help.code, 0);
  assert.match(help.out, /Exit codes: 0 finished/);
  assert.match((await run("--version")).out, /^\d+\.\d+\.\d+$/m);
});

test("a variable from after execute() is refused, not read as undefined", async () => {
  for (const options of [[], ["--inline"]]) {
    const { code, out, err } = await run("run", ...options, "used-too-early.ts");
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, /Cannot access 'offset' before initialization/);
    assert.match(err, /hint: .*define "offset" before it/);
    assert.match(err, /used-too-early\.ts:4:34/);
  }
});

test("errors of planning exit with 2, on worker threads and inline, with the user's file and line", async () => {
  for (const options of [[], ["--inline"]]) {
    for (const [name, message] of [["async", /FUNCTION_ASYNC: .*\n  at .*planning-error\.ts:6:5\d\n/], ["parameter", /PARAMETER_INVALID: .*\n  at .*planning-error\.ts:4:7\d\n/]] as const) {
      const { code, err } = await run("run", ...options, "planning-error.ts", name);
      assert.equal(code, 2, err);
      assert.match(err, message);
    }
    assert.equal((await run("run", ...options, "planning-error.ts", "arguments", "stray")).code, 2);
    assert.equal((await run("run", ...options, "planning-error.ts", "empty")).code, 2);
    const unknown = await run("run", ...options, "unknown-import.ts");
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /JOB_IMPORT_UNKNOWN: .*unknown-import\.ts:3:3: "millrace" does not export "StreamExecutionEnviroment"\n  hint: did you mean "StreamExecutionEnvironment"\?/);
    const missing = await run("run", ...options, "word-cuont.ts");
    assert.equal(missing.code, 2);
    assert.match(missing.err, /hint: did you mean "word-count\.ts"\?/);
    assert.doesNotMatch(missing.err, /caused by/);
    const thrown = await run("run", ...options, "throws-at-import.ts");
    assert.equal(thrown.code, 1);
    assert.match(thrown.err, /Error: not today\n.*throws-at-import\.ts:3:7/);
  }
  const mode = await run("run", "-D", "execution.runtime-mode=BATHC", "word-count.ts");
  assert.equal(mode.code, 2);
  assert.match(mode.err, /hint: did you mean "BATCH"\?/);
});

test("an argument that the job never asks for is warned about", async () => {
  for (const options of [[], ["--inline"]]) {
    const { code, out, err } = await run("run", "-q", ...options, "reads-arguments.ts", "--inptu", "x", "--other=1");
    assert.deepEqual([code, out], [0, "nothing\n"], err);
    assert.equal(err, 'WARN  unused job argument "--inptu" (did you mean "--input"?)\nWARN  unused job argument "--other" (nothing asked for it before execute())\n');
  }
  assert.equal((await run("run", "-q", "reads-arguments.ts", "--input", "x")).err, "");
});

test("a restart says which operator failed, and where in the user's code", async () => {
  const { code, err } = await run("run", "fails-for-ever.ts");
  assert.equal(code, 1);
  assert.match(err, /WARN  operator "Checker" \(subtask 0\) failed: no 1 \(at .*fails-for-ever\.ts:5:9\); restarting in 1 ms/);
});

test("lines that a function logs and lines that are printed keep their order", async () => {
  const { runJob } = await import("@millrace/cli/run-job");
  const lines: string[] = [];
  await runJob(join(jobs, "logs-and-prints.ts"), { log: { write: (level, line) => void lines.push(`${level}: ${line.replace(/^\[.*\] /, "")}`) } });
  const expected = Array.from({ length: 20 }, (_, i) => [`seen ${i + 1}`, String(i + 1)]);
  assert.deepEqual(lines, expected.flatMap(([seen, value]) => [`info: ${seen}`, `print: ${value}`]));
  const inline = await run("run", "-q", "--inline", "logs-and-prints.ts");
  assert.deepEqual(inline.out.trim().split("\n"), expected.flat());
});

test("a module that hangs when a slot loads it fails the job", async () => {
  const { WorkerSlots } = await import("@millrace/cluster/embedded");
  const { planJob } = await import("@millrace/cli/run-job");
  const directory = await mkdtemp(join(tmpdir(), "millrace-cli-"));
  const args = [join(directory, "marker")];
  const { artifact, program, jobGraph } = await planJob(join(jobs, "hangs-in-slot.ts"), { args });
  try {
    const slots = new WorkerSlots();
    slots.load({ artifactUrl: artifact.url, source: artifact.source, args, entryUrl: artifact.library?.slot, loadTimeoutMs: 100 });
    let failed!: (event: { readonly type: string; readonly error?: { readonly code?: string } }) => void;
    const first = new Promise<Parameters<typeof failed>[0]>((resolve) => (failed = resolve));
    const allocated = await slots.allocate({ epoch: 1, numberOfSlots: 1, jobSlots: [0], numberOfJobSlots: 1, jobGraph, onEvent: (_, event) => failed(event) });
    const event = await first;
    assert.equal(event.type, "slotFailed");
    assert.equal(event.error?.code, "SLOT_DEPLOYMENT_TIMEOUT");
    await allocated.release();
  } finally {
    await program.terminate();
    await rm(directory, { recursive: true });
  }
});
