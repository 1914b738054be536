import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/* The tool itself: what it says, what it ends with, what it leaves behind. */
const main = fileURLToPath(new URL("../main.ts", import.meta.url));

function start(t: TestContext, args: readonly string[]): { readonly child: ChildProcess; readonly directory: string; readonly output: () => string; readonly ended: Promise<number | null> } {
  const directory = mkdtempSync(join(tmpdir(), "millrace-chaos-test-"));
  const child = spawn(process.execPath, ["--import", "tsx", main, ...args], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TMPDIR: directory } });
  t.after(() => {
    child.kill("SIGTERM");
    rmSync(directory, { recursive: true, force: true });
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += String(data)));
  return { child, directory, output: () => output, ended: new Promise((resolve) => child.once("close", (code) => resolve(code))) };
}

/** Processes that were started with this folder. (Linux.) */
function processesOf(directory: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return command.includes(directory) ? [command] : [];
    } catch {
      return [];
    }
  });
}

test("a run with one kind of fault passes, says what happened, and leaves nothing behind", async (t) => {
  const { directory, output, ended } = start(t, ["--minutes", "0.2", "--scenario", "files", "--seed", "2", "--faults", "task-manager-killed", "--verbose"]);
  assert.equal(await ended, 0, output());
  assert.match(output(), /task-manager-killed: taskmanager-\d/);
  assert.match(output(), /task-manager-killed +[1-9]/);
  assert.match(output(), /files: passed, \d+ records, each once/);
  assert.deepEqual([processesOf(directory), readdirSync(directory).filter((name) => name.startsWith("millrace-"))], [[], []]);
});

for (const slots of ["thread", "process"]) test(`Ctrl-C ends all processes and deletes what they wrote (slots are ${slots === "thread" ? "threads" : "processes"})`, async (t) => {
  const { child, directory, output, ended } = start(t, ["--minutes", "5", "--scenario", "files", "--ha", "file", "--slots", slots, "--verbose"]);
  await new Promise<void>((resolve) => {
    child.stderr!.on("data", () => output().includes("the job runs as") && resolve());
    void ended.then(() => resolve());
  });
  assert.notDeepEqual(processesOf(directory), [], output());
  child.kill("SIGTERM");
  assert.equal(await ended, 130, output());
  assert.deepEqual([processesOf(directory), readdirSync(directory).filter((name) => name.startsWith("millrace-"))], [[], []]);
});

test("what it does not understand is said, with what it would", async (t) => {
  for (const [args, expected] of [
    [["--scenario", "fils"], /there is no "fils", only files, kafka-to-kafka/], [["--minutes", "x"], /--minutes: "x" is no number/], [["--faults", "leader-kiled"], /there is no "leader-kiled"/],
    [["--sed", "1"], /--sed/],
  ] as const) {
    const { output, ended } = start(t, args);
    assert.equal(await ended, 2);
    assert.match(output(), expected);
    assert.match(output(), /usage: npm run chaos/);
  }
});
