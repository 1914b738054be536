import { test } from "node:test";
import assert from "node:assert/strict";
import { MillraceError, leadershipLost, type Coordination, type StoreChange } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import { MemoryFileSystem, VirtualTime } from "@millrace/testkit";
import { CoordinatedServices, EmbeddedCoordinator, JobMaster, JobPersistence, LeaderTerm, executionResult, type RecoveryStores } from "../../src/index.js";
import { METADATA_FORMAT_VERSION, writeMetadata } from "../../src/checkpoint/checkpoint-metadata.js";
import { Dispatcher, type DispatcherInit } from "../../src/dispatcher/dispatcher.js";
import { RecoveredCheckpoints } from "../../src/high-availability/recovered-checkpoints.js";
import { ScriptedSlots, twoVertexGraph } from "../scripted-slots.js";

/* One job of a leader whose store can be slow, out of reach, or lost, in virtual time. */
class World {
  readonly time: VirtualTime;
  readonly fs = new MemoryFileSystem();
  readonly stores: RecoveryStores;
  readonly term: LeaderTerm;
  readonly persistence: JobPersistence;
  /** Called before every commit; may wait or throw. */
  beforeCommit: (changes: readonly StoreChange[]) => Promise<void> = async () => undefined;

  private constructor(time: VirtualTime, coordination: Coordination, token: number) {
    this.time = time;
    const store = {
      get: (key: string) => coordination.store.get(key), list: (key: string) => coordination.store.list(key),
      commit: async (fencingToken: number, changes: readonly StoreChange[]) => {
        await this.beforeCommit(changes);
        await coordination.store.commit(fencingToken, changes);
      },
    };
    const env = { ...time.env, fs: this.fs };
    const services = new CoordinatedServices({
      env, contender: "a", coordination: { ...coordination, store }, storageDirectory: "/ha", jobResultDirectory: "/ha/results", deleteResultOnCommit: false,
    });
    this.stores = services.openStores(token);
    this.term = new LeaderTerm(env, token);
    this.persistence = new JobPersistence({ env, stores: this.stores, term: this.term, checkpointDirectory: ({ jobId }) => `/c/${jobId}` });
  }

  static async start(): Promise<World> {
    const time = new VirtualTime();
    const coordinator = new EmbeddedCoordinator(time.env);
    const coordination = coordinator.connect();
    await time.runUntil(new Promise<void>((resolve) => {
      coordination.elect("a", { granted: () => resolve(), revoked: () => undefined, failed: () => undefined });
    }));
    return new World(time, coordination, 1);
  }

  /** Runs the job as the Dispatcher does, under this term or another on the same store. */
  run(jobGraph: JobGraph, persistence = this.persistence): { readonly slots: ScriptedSlots; readonly job: JobMaster } {
    const env = { ...this.time.env, fs: this.fs };
    const slots = new ScriptedSlots(this.time.clock);
    const job = new JobMaster({
      env, jobGraph, slots, checkpointDirectory: `/c/${jobGraph.jobId}`, temporaryDirectory: "/tmp/job", checkpoints: persistence.checkpoints(jobGraph, env),
      onDecided: (end) => persistence.decided(jobGraph, 0, 1, end),
    });
    job.start();
    return { slots, job };
  }

  get checkpointFiles(): string[] {
    return this.fs.paths.filter((path) => path.endsWith("_metadata"));
  }
}

const graph = (config: Record<string, unknown> = {}): JobGraph => ({ ...twoVertexGraph({ "execution.checkpointing.interval": 100, ...config }), jobId: "a".repeat(32) });
const isCheckpoint = (changes: readonly StoreChange[]): boolean => changes.some((change) => change.type === "put" && change.key.includes("/checkpoints/"));
const unavailable = (): never => {
  throw new MillraceError({ code: "HA_UNAVAILABLE", message: "out of reach" });
};

test("tasks hear of a checkpoint only when the next leader would restore it; while the store is out of reach everything waits", async () => {
  const world = await World.start();
  const { slots, job } = world.run(graph());
  let broken = true;
  world.beforeCommit = async (changes) => {
    if (broken && isCheckpoint(changes)) unavailable();
  };
  await world.time.advance(1500);
  assert.equal(slots.ofType("triggerCheckpoint").at(-1)!.checkpointId, 1, "the next one waits");
  assert.deepEqual([slots.ofType("checkpointComplete").length, job.lastCheckpointPath], [0, undefined]);
  broken = false;
  await world.time.advance(2500);
  assert.equal(slots.ofType("checkpointComplete")[0]!.checkpointId, 1);
  assert.ok((await world.stores.checkpointPointers(graph().jobId).all()).length === 1);
});

for (const claimMode of ["CLAIM", "NO_CLAIM"]) {
  test(`a job that starts from another's checkpoint counts on from there (${claimMode})`, async () => {
    const world = await World.start();
    const first = world.run(graph());
    await world.time.advance(1050);
    const restoredId = first.slots.ofType("checkpointComplete").at(-1)!.checkpointId;
    assert.ok(restoredId > 3);
    const jobGraph = { ...graph({ "execution.state-recovery.path": first.job.lastCheckpointPath!, "execution.state-recovery.claim-mode": claimMode }), jobId: "b".repeat(32) };
    const { slots, job } = world.run(jobGraph);
    await world.time.advance(250);
    assert.ok(slots.ofType("checkpointComplete")[0]!.checkpointId > restoredId);
    assert.equal((await world.stores.checkpointPointers(jobGraph.jobId).all()).at(-1)!.path, job.lastCheckpointPath, "the next leader goes on from the newest");
  });
}

test("a failure while the store takes one checkpoint after the other: the job restarts from the last of them", async () => {
  const world = await World.start();
  const { slots } = world.run(graph({ "execution.checkpointing.max-concurrent-checkpoints": 3, "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 9, "restart-strategy.fixed-delay.delay": 1 }));
  // Each takes 300 ms: the second begins when the first is there.
  world.beforeCommit = async (changes) => {
    if (isCheckpoint(changes)) await new Promise<void>((resolve) => void world.time.clock.setTimer(300, resolve));
  };
  await world.time.advance(250);
  assert.equal(slots.ofType("triggerCheckpoint").at(-1)!.checkpointId, 2);
  slots.fail("map", 0);
  await world.time.advance(200);
  assert.equal(slots.allocations, 1, "the second is on its way");
  await world.time.advance(400);
  assert.equal(slots.allocations, 2);
  assert.equal(slots.ofType("deploy").at(-1)!.tasks[0]!.restore?.checkpointId, 2);
});

test("a job that finishes while the store takes a checkpoint leaves no pointer to it", async () => {
  const world = await World.start();
  const { slots, job } = world.run(graph());
  world.beforeCommit = async (changes) => {
    if (isCheckpoint(changes)) await new Promise<void>((resolve) => void world.time.clock.setTimer(300, resolve));
  };
  await world.time.advance(150);
  for (const vertex of ["source", "map"]) for (const subtask of [0, 1]) slots.setState(vertex, subtask, "FINISHED");
  await world.time.runUntil(job.result);
  await world.time.advance(1000);
  assert.deepEqual(await world.stores.checkpointPointers(graph().jobId).all(), []);
  assert.deepEqual(world.checkpointFiles, []);
});

/** A job of another that another's incremental checkpoint is given to: another directory holds a file of its state. */
async function claimingJob(world: World): Promise<{ readonly jobGraph: JobGraph; readonly path: string; readonly shared: string }> {
  const path = "/old/chk-5";
  const part = (file: string) => ({ checkpointId: 0, keyGroups: [], common: true, file: { path: file, offset: 0, length: 1 } });
  const keyed = [{ ...part("map"), keyGroupRange: [0, 127], earlier: [part("../chk-0/map")] }];
  await writeMetadata(world.fs, path, {
    formatVersion: METADATA_FORMAT_VERSION, checkpointId: 5, timestampMs: 0, jobId: "c".repeat(32), jobName: "old", stateBytes: 2, writtenBytes: 1,
    operators: [{ operatorId: "map-op", uid: undefined, name: "map", parallelism: 2, maxParallelism: 128, subtasks: [{ subtaskIndex: 0, keyed, operator: [] }] }],
  });
  const shared = "/old/chk-0/map";
  await world.fs.writeAtomic(shared, new Uint8Array(1));
  const jobGraph = {
    ...graph({ "execution.state-recovery.path": path, "execution.state-recovery.claim-mode": "CLAIM", "execution.checkpointing.interval": "1 h" }), jobId: "b".repeat(32),
  };
  await world.persistence.accept({ jobGraph, artifact: "0".repeat(64), source: "/job.ts", args: [] });
  return { jobGraph, path, shared };
}

for (const ends of [false, true]) {
  test(`a claimed checkpoint stays claimed under the next leader: with it goes what only it needs${ends ? ", also when the job's end is cleaned up later" : ""}`, async () => {
    const world = await World.start();
    const { jobGraph, path, shared } = await claimingJob(world);
    const claiming = world.run(jobGraph);
    await world.time.advance(50);
    claiming.job.suspend();
    const next = world.run(jobGraph);
    await world.time.advance(50);
    assert.equal(next.job.lastCheckpointPath, path);
    assert.ok(world.fs.paths.includes(shared));
    if (ends) {
      // The leader dies between the job's end and what follows.
      world.beforeCommit = async (changes) => {
        if (!changes.some(({ key }) => key.startsWith("results/"))) await new Promise(() => undefined);
      };
      next.job.cancel();
      await world.time.advance(50);
      world.beforeCommit = async () => undefined;
      await world.persistence.recover();
      await world.time.advance(50);
      assert.deepEqual(world.checkpointFiles, []);
    } else {
      await world.time.runUntil(next.job.triggerCheckpoint());
      await world.time.advance(50);
      assert.equal(world.checkpointFiles.length, 1);
    }
    assert.deepEqual(world.fs.paths.filter((file) => file.startsWith(`${path}/`) || file === shared), []);
  });
}

for (const ends of [false, true]) {
  for (const diesAt of [0, 1]) {
    test(`a leader dies while it deletes a claimed checkpoint that it has forgotten${ends ? ", at the job's end" : ""}, before step ${diesAt}: the next one does the rest`, async () => {
      const world = await World.start();
      const { jobGraph, path, shared } = await claimingJob(world);
      const { job } = world.run(jobGraph);
      await world.time.advance(50);
      const { fs } = world;
      const doDelete = fs.delete.bind(fs);
      let deleted = 0;
      fs.delete = async (at) => (at.startsWith("/old/") && deleted++ >= diesAt ? new Promise(() => undefined) : doDelete(at));
      if (ends) job.cancel();
      else await world.time.runUntil(job.triggerCheckpoint());
      await world.time.advance(50);
      assert.deepEqual([fs.paths.includes(`${path}/_metadata`), fs.paths.includes(shared)], [true, diesAt === 0]);
      const pointers = world.stores.checkpointPointers(jobGraph.jobId);
      assert.ok((await pointers.all()).every((pointer) => pointer.path !== path), "no state points to it");
      job.suspend();
      fs.delete = doDelete;
      if (ends) await world.persistence.recover();
      else world.run(jobGraph);
      await world.time.advance(50);
      assert.deepEqual(fs.paths.filter((file) => file.startsWith("/old/")), []);
      assert.deepEqual(await pointers.discards(), []);
    });
  }
}

for (const drain of [true, false]) {
  test(`the leader is lost between a savepoint and the end of the job behind it: ${drain ? "the drained job ends, and the stop with it" : "the job goes on, and is stopped when that is asked for again"}`, async () => {
    const world = await World.start();
    const jobGraph = graph({ "execution.checkpointing.interval": "1 h" });
    const first = world.run(jobGraph);
    await world.time.advance(50);
    const lost = first.job.stopWithSavepoint({ directory: "/s", drain }, "one");
    lost.catch(() => undefined);
    await world.time.advance(50);
    const [path] = world.fs.paths.filter((file) => file.startsWith("/s/")).map((file) => file.replace("/_metadata", ""));
    first.job.suspend();
    await assert.rejects(lost, { code: "JOB_SUSPENDED" });
    const { slots, job } = world.run(jobGraph);
    await world.time.advance(50);
    assert.equal(slots.ofType("deploy")[0]!.tasks[0]!.restore!.checkpointId, 1);
    const tasks = [["source", 0], ["source", 1], ["map", 0], ["map", 1]] as const;
    const finish = (): void => tasks.forEach(([vertex, subtask]) => slots.setState(vertex, subtask, "FINISHED"));
    slots.intercept = (command) => {
      if (command.type === "checkpointComplete") finish();
      return command.type === "checkpointComplete";
    };
    const again = job.stopWithSavepoint({ directory: "/s", drain }, "one");
    if (drain) finish();
    const stoppedBehind = await world.time.runUntil(again);
    assert.equal(stoppedBehind === path, drain);
    assert.equal(job.status, "FINISHED");
    assert.deepEqual((await world.persistence.result(jobGraph.jobId))?.stop, drain ? { path } : { path: stoppedBehind, requestId: "one" });
  });
}

test("a failure while the store takes a checkpoint: the job restarts when that is decided, and from that checkpoint", async () => {
  const world = await World.start();
  const { slots, job } = world.run(graph({ "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 9, "restart-strategy.fixed-delay.delay": 1 }));
  let go!: () => void;
  const gate = new Promise<void>((resolve) => (go = resolve));
  world.beforeCommit = async (changes) => {
    if (isCheckpoint(changes)) await gate;
  };
  await world.time.advance(150);
  slots.fail("map", 0);
  await world.time.advance(1000);
  assert.equal(slots.allocations, 1, "which checkpoint to restore is not known");
  go();
  await world.time.advance(20);
  assert.equal(slots.allocations, 2);
  assert.match(job.lastCheckpointPath!, /chk-1$/);
  assert.equal(slots.ofType("checkpointComplete").length, 0, "the new attempt starts from it");
});

test("a leader that lost in the middle of a commit tells nobody, deletes nothing, and ends nothing", async () => {
  const world = await World.start();
  const { slots, job } = world.run(graph());
  await world.time.advance(150);
  const before = world.checkpointFiles;
  assert.equal(before.length, 1);
  world.beforeCommit = async () => {
    throw leadershipLost(1, "another one leads");
  };
  const told = slots.ofType("checkpointComplete").length;
  await world.time.advance(500);
  job.cancel();
  await world.time.advance(500);
  assert.equal(slots.ofType("checkpointComplete").length, told);
  assert.equal(job.status, "CANCELLING", "an end that was not written down is none");
  assert.deepEqual(world.checkpointFiles.filter((path) => before.includes(path)), before);
  assert.equal(await world.persistence.result(graph().jobId), undefined);
  world.term.end();
  job.suspend();
  assert.equal(job.status, "SUSPENDED");
});

test("an end is written down before anything is deleted; what a leader that died then left is deleted by the next", async () => {
  const world = await World.start();
  const jobGraph = graph();
  await world.persistence.accept({ jobGraph, artifact: "0".repeat(64), source: "/job.ts", args: ["x"] });
  assert.deepEqual(await world.persistence.recover(), [{ jobGraph, artifact: "0".repeat(64), source: "/job.ts", args: ["x"] }]);
  const { job } = world.run(jobGraph);
  await world.time.advance(150);
  assert.equal(world.checkpointFiles.length, 1);
  // It dies right behind its decision.
  world.beforeCommit = async (changes) => {
    if (!changes.some(({ key }) => key.startsWith("results/"))) await new Promise(() => undefined);
  };
  job.cancel();
  await world.time.advance(50);
  assert.equal(job.status, "CANCELLING");
  assert.equal(world.checkpointFiles.length, 1);
  world.beforeCommit = async () => undefined;
  assert.deepEqual(await world.persistence.recover(), [], "it does not run again");
  await world.time.advance(50);
  assert.deepEqual(world.checkpointFiles, []);
  assert.deepEqual(await world.stores.executionPlans.jobIds(), []);
  const result = (await world.persistence.result(jobGraph.jobId))!;
  assert.equal(result.state, "CANCELED");
  assert.throws(() => executionResult(result), { code: "JOB_CANCELED" });
});

test("a job none of whose checkpoints can be read fails by name, and its files stay", async () => {
  const world = await World.start();
  const jobGraph = graph();
  const before = world.run(jobGraph);
  await world.time.advance(150);
  before.job.suspend();
  const [path] = world.checkpointFiles;
  await world.fs.writeAtomic(path!, new TextEncoder().encode('{"cut'));
  const { job, slots } = world.run(jobGraph, new JobPersistence({
    env: { ...world.time.env, fs: world.fs }, stores: world.stores, term: new LeaderTerm(world.time.env, 1), checkpointDirectory: ({ jobId }) => `/c/${jobId}`,
  }));
  await world.time.advance(50);
  assert.deepEqual([job.status, slots.allocations], ["FAILED", 0]);
  await assert.rejects(job.result, (error: MillraceError) => (error.cause as MillraceError).code === "CHECKPOINT_UNREADABLE");
  assert.deepEqual(world.checkpointFiles, [path]);
  assert.equal((await world.persistence.result(jobGraph.jobId))?.error?.code, "CHECKPOINT_UNREADABLE");
});

test("a leader that cannot reach a job's plan at first waits for it, and does not go on without the job", async () => {
  const world = await World.start();
  const submission = { jobGraph: graph(), artifact: "0".repeat(64), source: "/job.ts", args: [] };
  await world.persistence.accept(submission);
  const read = world.fs.readFile.bind(world.fs);
  let failures = 3;
  world.fs.readFile = async (path) => {
    if (failures-- > 0) throw new MillraceError({ code: "FILE_IO_FAILED", message: `cannot read ${path}: input/output error` });
    return read(path);
  };
  const recovered = world.persistence.recover();
  await world.time.advance(60_000);
  assert.deepEqual(await recovered, [submission]);
});

test("a savepoint that the job stops behind is what every next leader begins from, until there is a newer checkpoint", async () => {
  // Simulated seed 1754: the first of them forgot it, and the second went back behind what was committed.
  const world = await World.start();
  const { jobId, jobName } = graph();
  const pointers = world.stores.checkpointPointers(jobId);
  const kept = [{ checkpointId: 1, path: "/c/chk-1", external: false }, { checkpointId: 3, path: "/savepoints/one", external: true, stop: "suspend" as const }];
  for (const { checkpointId, path } of kept) {
    await writeMetadata(world.fs, path, { formatVersion: METADATA_FORMAT_VERSION, checkpointId, timestampMs: 0, jobId, jobName, stateBytes: 0, writtenBytes: 0, operators: [] });
    await world.time.runUntil(pointers.change(kept.filter((one) => one.checkpointId === checkpointId), [], []));
  }
  const env = { ...world.time.env, fs: world.fs };
  for (let leader = 0; leader < 3; leader++) {
    const recovered = await world.time.runUntil(RecoveredCheckpoints.recover({ env, pointers, retained: 1 }));
    assert.equal(recovered.latest?.path, "/savepoints/one", `leader ${leader}`);
  }
});

test("who submits a job again hears that it was taken when that is written down, and not before", async () => {
  // Simulated seed 1400: a leader that was deposed meanwhile said so, and nobody ran the job.
  const world = await World.start();
  world.beforeCommit = () => new Promise(() => undefined);
  const dispatcher = new Dispatcher({
    env: { ...world.time.env, fs: world.fs }, blobs: { has: async () => true }, persistence: world.persistence, defaultCheckpointDirectory: "/c", temporaryDirectory: "/tmp", jobDefaults: {},
  } as unknown as DispatcherInit);
  const answers: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const answered = (answer: unknown): void => void answers.push(answer);
    void dispatcher.submit({ jobGraph: graph(), artifact: "0".repeat(64), source: "/job.ts", args: [] }).then(answered, answered);
    await world.time.advance(1000);
  }
  assert.deepEqual(answers, []);
});
