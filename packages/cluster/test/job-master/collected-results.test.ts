import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MillraceError } from "@millrace/core";
import { SpillFile } from "@millrace/runtime";
import { MemoryFileSystem } from "@millrace/testkit";
import { CollectedResults } from "../../src/job-master/collected-results.js";
import { ResultRoom, ResultSpace } from "../../src/job-master/result-room.js";

/*
 * Invariant: whatever is added, covered by checkpoints and dropped, and however slow the program is, it gets what checkpoints cover once and in order, and no
 * more than the limit is in memory.
 */
const LIMIT = 100;

const roomOf = (memory: number, files: number): ResultRoom => new ResultRoom(new ResultSpace(memory), new ResultSpace(files));

/** A program that takes results when it is told to, and what holds them for it. */
class Program {
  readonly fs = new MemoryFileSystem();
  readonly got: string[] = [];
  readonly failures: unknown[] = [];
  readonly results: CollectedResults;
  stopped = false;
  #goOn: (() => void)[] = [];
  #files = 0;

  constructor(fs?: { readonly create: MemoryFileSystem["create"] }, room: ResultRoom = roomOf(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)) {
    if (fs !== undefined) this.fs.create = fs.create;
    this.results = new CollectedResults({
      take: (collectId, subtaskIndex, batch) => {
        this.got.push(`${collectId}/${subtaskIndex}: ${new TextDecoder().decode(batch).trim()}`);
        return this.stopped ? new Promise((resolve) => this.#goOn.push(resolve)) : undefined;
      },
      hold: {
        room: room.forJob(LIMIT), openFile: () => new SpillFile(this.fs, `/tmp/results-${++this.#files}`, (error) => this.failures.push(error)),
        onFull: (bytes) => this.failures.push(`no room for ${bytes} bytes`),
      },
    });
  }

  add(text: string, afterCheckpoint: number, { region = 0, subtaskIndex = 0, bytes = 20 } = {}): void | Promise<void> {
    const batch = new TextEncoder().encode(text.padEnd(bytes)).buffer as ArrayBuffer;
    return this.results.add({ collectId: "c", subtaskIndex, batch, afterCheckpoint, region });
  }

  async goOn(): Promise<void> {
    this.stopped = false;
    for (const resolve of this.#goOn.splice(0)) resolve();
    await settled();
  }

  get texts(): string[] {
    return this.got.map((line) => line.split(": ")[1]!);
  }

  async files(): Promise<number> {
    return (await this.fs.list("/tmp").catch(() => [])).length;
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise(setImmediate);
}

const numbers = (n: number): string[] => Array.from({ length: n }, (_, i) => String(i));

test("what finds no room in memory waits in a file, is taken as held once it is there, and comes in order when a checkpoint covers it", async () => {
  const program = new Program();
  const waits = numbers(20).map((text) => program.add(text, 0));
  assert.deepEqual(waits.slice(0, 5), Array(5).fill(undefined), "the first 100 bytes");
  await Promise.all(waits);
  assert.equal(program.results.memoryBytes, LIMIT);
  assert.equal(await program.files(), 1);
  assert.deepEqual(program.got, []);
  program.results.checkpointComplete(1);
  await settled();
  assert.deepEqual(program.texts, numbers(20));
  assert.equal(program.results.memoryBytes, 0);
  assert.equal(await program.files(), 0);
});

test("a checkpoint covers only what came before it; what was dropped never comes", async () => {
  const program = new Program();
  for (let i = 0; i < 10; i++) await Promise.all([program.add(`a${i}`, 0), program.add(`b${i}`, 1), program.add(`x${i}`, 0, { region: 1, subtaskIndex: 1 })]);
  program.results.drop(1);
  program.results.checkpointComplete(1);
  await settled();
  assert.deepEqual(program.texts, numbers(10).map((i) => `a${i}`));
  program.results.drop();
  program.results.releaseAll();
  await settled();
  assert.equal(program.got.length, 10);
  assert.equal(await program.files(), 0);
});

test("a program that takes nothing makes sinks wait once more than the limit is covered; what they still add is not lost", async () => {
  const program = new Program();
  program.stopped = true;
  for (const text of numbers(20)) await program.add(text, 0);
  program.results.checkpointComplete(1);
  await settled();
  assert.deepEqual(program.texts, ["0"]);
  let taken = false;
  const wait = program.add("next", 1) as Promise<void>;
  void wait.then(() => (taken = true));
  let delivered = false;
  void program.results.delivered().then(() => (delivered = true));
  await settled();
  assert.deepEqual([taken, delivered], [false, false]);
  await program.goOn();
  assert.deepEqual([taken, delivered, program.got.length], [true, true, 20]);
  program.results.releaseAll();
  assert.equal(program.texts.at(-1), "next");
});

test("a program that never takes anything does not hold up a cancelled job", async () => {
  const program = new Program();
  program.stopped = true;
  for (const text of numbers(20)) await program.add(text, 0);
  program.results.releaseAll();
  const delivered = program.results.delivered();
  program.results.dropAll();
  await delivered;
  await program.goOn();
  assert.equal(program.got.length, 1);
  assert.equal(program.results.memoryBytes, 0);
  assert.equal(await program.files(), 0);
});

test("a disk that is full is told, and so can end the job", async () => {
  const full = new MillraceError({ code: "DISK_FULL", message: "no space left" });
  const program = new Program({ create: async () => Promise.reject(full) });
  for (const text of numbers(7)) void program.add(text, 0);
  await settled();
  assert.equal(program.failures[0], full);
});

test("jobs share the memory of their JobManager: one finds no room where another has it, and goes to files", async () => {
  const room = roomOf(LIMIT + 40, 1000);
  const [first, second] = [new Program(undefined, room), new Program(undefined, room)];
  for (const text of numbers(5)) await first.add(text, 0);
  for (const text of numbers(5)) await second.add(text, 0);
  assert.deepEqual([first.results.memoryBytes, second.results.memoryBytes, room.memory.usedBytes, room.files.usedBytes], [LIMIT, 40, LIMIT + 40, 60]);
  assert.deepEqual([await first.files(), await second.files()], [0, 1]);
  for (const program of [first, second]) program.results.releaseAll();
  await settled();
  assert.deepEqual([first.texts, second.texts], [numbers(5), numbers(5)]);
  assert.deepEqual([room.memory.usedBytes, room.files.usedBytes], [0, 0]);
});

test("files have a limit for all jobs together: who goes beyond is told, and what goes with a job is room again", async () => {
  const room = roomOf(40, 100);
  const [first, second] = [new Program(undefined, room), new Program(undefined, room)];
  for (const text of numbers(5)) await first.add(text, 0);
  for (const text of numbers(2)) await second.add(text, 0);
  assert.deepEqual([room.memory.usedBytes, room.files.usedBytes], [40, 100]);
  let told = false;
  void Promise.resolve(second.add("2", 0)).then(() => (told = true));
  await settled();
  assert.deepEqual([second.failures, first.failures, told], [["no room for 20 bytes"], [], false]);
  second.results.dropAll();
  assert.equal(room.files.usedBytes, 60);
  // A failure, after which everything is made again.
  first.results.drop();
  await settled();
  assert.deepEqual([room.memory.usedBytes, room.files.usedBytes, await first.files()], [0, 0, 0]);
  for (const text of numbers(5)) await first.add(text, 0);
  first.results.releaseAll();
  await settled();
  assert.deepEqual([first.texts, first.failures, room.files.usedBytes], [numbers(5), [], 0]);
});

test("any sequence of batches, checkpoints, failures and pauses of the program", async () => {
  type Step = { readonly do: "add"; readonly region: number; readonly bytes: number } | { readonly do: "checkpoint" | "stop" | "go on" | "settle" } | { readonly do: "fail"; readonly region: number };
  const region = fc.integer({ min: 0, max: 1 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 10, arbitrary: fc.record({ do: fc.constant("add" as const), region, bytes: fc.integer({ min: 8, max: 60 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("checkpoint" as const, "stop" as const, "go on" as const, "settle" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const), region }) },
  );
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
    const room = roomOf(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    const program = new Program(undefined, room);
    const expected: string[][] = [[], []];
    let held: string[][] = [[], []];
    let completed = 0;
    let n = 0;
    for (const one of steps) {
      if (one.do === "add") {
        held[one.region]!.push(`c/${one.region}: ${n}`);
        void program.add(String(n++), completed, { ...one, subtaskIndex: one.region });
      } else if (one.do === "checkpoint") {
        expected.forEach((lines, at) => lines.push(...held[at]!));
        held = [[], []];
        program.results.checkpointComplete(++completed);
      } else if (one.do === "fail") {
        held[one.region] = [];
        program.results.drop(one.region);
      } else if (one.do === "stop") program.stopped = true;
      else if (one.do === "go on") await program.goOn();
      else await settled();
      assert.ok(program.results.memoryBytes <= LIMIT);
    }
    await program.goOn();
    program.results.releaseAll();
    await settled();
    await program.results.delivered();
    expected.forEach((lines, at) => assert.deepEqual(program.got.filter((line) => line.startsWith(`c/${at}:`)), [...lines, ...held[at]!]));
    await settled();
    assert.deepEqual([program.results.memoryBytes, await program.files(), program.failures], [0, 0, []]);
    assert.deepEqual([room.memory.usedBytes, room.files.usedBytes], [0, 0]);
  }), { numRuns: 60 });
});
