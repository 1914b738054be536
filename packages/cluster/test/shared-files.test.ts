import assert from "node:assert/strict";
import { test } from "node:test";
import type { SlotEvent } from "@millrace/runtime";
import type { KeyedStateHandle } from "@millrace/state";
import { MemoryFileSystem, VirtualTime } from "@millrace/testkit";
import { JobMaster } from "../src/index.js";
import { ScriptedSlots, twoVertexGraph } from "./scripted-slots.js";

class World {
  readonly time: VirtualTime;
  readonly slots: ScriptedSlots;
  readonly job: JobMaster;

  constructor(config: Record<string, unknown>, fs: MemoryFileSystem) {
    this.time = new VirtualTime({ fs });
    this.slots = new ScriptedSlots(this.time.clock);
    this.job = new JobMaster({ env: this.time.env, jobGraph: twoVertexGraph(config), slots: this.slots, checkpointDirectory: "/c/job", temporaryDirectory: "/tmp/job" });
    this.job.start();
  }
}

/** What a task reports that wrote a file for a checkpoint and refers to those of `earlier` ones. */
function incrementalState(earlier: readonly number[]): Extract<SlotEvent, { type: "acknowledgeCheckpoint" }>["state"] {
  const part = (checkpointId: number) => ({ checkpointId, keyGroups: [], common: true, file: { path: `../chk-${checkpointId}/map`, offset: 0, length: 1 } });
  const handle = { keyGroupRange: [0, 127], keyGroups: [], common: true, file: { path: "map", offset: 0, length: 1 }, earlier: earlier.map(part) };
  return { stateBytes: 1 + earlier.length, writtenBytes: 1, operators: { "map-op": { keyed: [handle], operator: [] } } };
}

/** Takes checkpoints whose tasks write a file each; `earlier` says what the state of task `map 0` refers to. */
class IncrementalJob {
  readonly world: World;
  readonly #fs: MemoryFileSystem;
  #id = 0;

  constructor(config: Record<string, unknown> = {}, fs: MemoryFileSystem = new MemoryFileSystem()) {
    this.#fs = fs;
    this.world = new World(config, fs);
  }

  async start(): Promise<void> {
    await this.world.time.advance(0);
    this.world.slots.intercept = (command) => command.type === "triggerCheckpoint";
  }

  async checkpoint(earlier: readonly number[]): Promise<void> {
    const { slots, time, job } = this.world;
    const id = ++this.#id;
    const done = job.triggerCheckpoint();
    await time.advance(0);
    await this.write(id);
    slots.acknowledge(id, slots.attempt("map", 0), incrementalState(earlier));
    for (const [vertex, subtask] of [["source", 0], ["source", 1], ["map", 1]] as const) slots.acknowledge(id, slots.attempt(vertex, subtask));
    await time.runUntil(done);
    await time.advance(0);
  }

  /** A task writes its file, and then another task declines. */
  async abortedCheckpoint(whenWritten: "before" | "after"): Promise<void> {
    const { slots, time, job } = this.world;
    const id = ++this.#id;
    const done = job.triggerCheckpoint().catch(() => undefined);
    await time.advance(0);
    if (whenWritten === "before") await this.write(id);
    slots.emit({ type: "declineCheckpoint", epoch: slots.epoch, checkpointId: id, attempt: slots.attempt("map", 1), error: { name: "Error", message: "disk full" } });
    await time.runUntil(done);
    await time.advance(0);
    if (whenWritten === "after") await this.write(id);
  }

  async write(id: number): Promise<void> {
    await (await this.#fs.create(`/c/job/chk-${id}/map`)).close();
  }

  /** The checkpoints whose file is there; those that can be restored from with a star. */
  get files(): string[] {
    const { paths } = this.#fs;
    return paths.filter((path) => path.endsWith("/map")).map((path) => {
      const directory = path.slice(0, -"/map".length);
      return directory.slice("/c/job/chk-".length) + (paths.includes(`${directory}/_metadata`) ? "*" : "");
    });
  }
}

test("a file that incremental checkpoints share is there as long as one needs it or may be built on, and no longer", async () => {
  const job = new IncrementalJob();
  await job.start();
  await job.checkpoint([]);
  assert.deepEqual(job.files, ["1*"]);
  await job.checkpoint([1]);
  assert.deepEqual(job.files, ["1", "2*"], "2 refers to 1, which is no checkpoint of its own any more");
  await job.checkpoint([1, 2]);
  assert.deepEqual(job.files, ["1", "2", "3*"]);
  assert.deepEqual([job.world.job.metrics().lastCheckpointSize, job.world.job.metrics().lastCheckpointFullSize], [4, 6]);
  await job.checkpoint([2, 3]);
  assert.deepEqual(job.files, ["1", "2", "3", "4*"], "4 was built on 3, and so may the next be, which needs 1");
  await job.checkpoint([2, 3]);
  assert.deepEqual(job.files, ["1", "2", "3", "4", "5*"], "the task had not heard of 4: nothing of what 3 needs may go");
  await job.checkpoint([3, 5]);
  assert.deepEqual(job.files, ["2", "3", "5", "6*"]);
  await job.checkpoint([]);
  assert.deepEqual(job.files, ["7*"], "it stands alone, and nothing is built on older ones");
});

test("shared files are kept for every retained checkpoint, and all go with the job", async () => {
  const fs = new MemoryFileSystem();
  const job = new IncrementalJob({ "execution.checkpointing.num-retained": 2 }, fs);
  await job.start();
  for (const earlier of [[], [1], [1, 2], [3]]) await job.checkpoint(earlier);
  assert.deepEqual(job.files, ["1", "2", "3*", "4*"]);
  await job.checkpoint([4]);
  assert.deepEqual(job.files, ["3", "4*", "5*"]);
  job.world.slots.intercept = () => false;
  job.world.job.cancel();
  await job.world.time.runUntil(job.world.job.result.catch(() => undefined));
  assert.deepEqual(fs.paths, []);
});

test("an aborted checkpoint leaves no file, even of a task that writes after its abort, and takes none that others need", async () => {
  const job = new IncrementalJob({ "execution.checkpointing.tolerable-failed-checkpoints": 9 });
  await job.start();
  await job.checkpoint([]);
  await job.abortedCheckpoint("before");
  assert.deepEqual(job.files, ["1*"]);
  await job.abortedCheckpoint("after");
  assert.deepEqual(job.files, ["1*", "3"]);
  await job.checkpoint([1]);
  assert.deepEqual(job.files, ["1", "4*"]);
});

test("a job that restarts or is started from an incremental checkpoint gets all its files, and deletes none that it did not write", async () => {
  const fs = new MemoryFileSystem();
  const first = new IncrementalJob({ "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION" }, fs);
  await first.start();
  for (const earlier of [[], [1], [1, 2]]) await first.checkpoint(earlier);
  const { world } = first;
  world.slots.intercept = () => false;
  world.job.cancel();
  await world.time.runUntil(world.job.result.catch(() => undefined));
  assert.deepEqual(first.files, ["1", "2", "3*"]);

  const second = new World({ "execution.state-recovery.path": "/c/job/chk-3" }, fs);
  await second.time.advance(0);
  const restored = second.slots.ofType("deploy").flatMap((command) => command.tasks).flatMap((task) => (task.restore?.operators["map-op"]?.keyed ?? []) as KeyedStateHandle[]);
  assert.deepEqual(restored[0]!.earlier!.map((part) => part.file.path), ["/c/job/chk-1/map", "/c/job/chk-2/map"]);
  await second.time.runUntil(second.job.triggerCheckpoint());
  await second.time.advance(0);
  second.job.cancel();
  await second.time.runUntil(second.job.result.catch(() => undefined));
  assert.deepEqual(first.files, ["1", "2", "3*"], "they belong to the job that wrote them");
});
