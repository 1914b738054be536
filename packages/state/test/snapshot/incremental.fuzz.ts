import * as fc from "fast-check";
import { keyGroupRange } from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapKeyedStateBackend, assignKeyedState, type KeyedSnapshot, type KeyedStateHandle, type RestorePart } from "../../src/index.js";
import { concat } from "../concat.js";
import { KEYS, MAX_PARALLELISM, OPS, Subject, apply, assertEqualsModel, copyModel, emptyModel, type Command, type Model } from "../keyed-model.js";
import { ManualClock } from "../manual-clock.js";
import { fuzz } from "../seed.js";

// Invariants: an incremental snapshot, with the parts of older checkpoints it refers to and no others, restores to the same as a snapshot that
// stands alone, at any parallelism; it refers to parts of completed checkpoints only, of which none was deleted by the rule of the checkpoint
// store: what the newest complete checkpoint needs is kept, and what any does from the one on that it was built on.

const command: fc.Arbitrary<Command> = fc.record({
  op: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...OPS) }, { weight: 3, arbitrary: fc.constantFrom("snapshot", "alone", "step", "finish", "finish", "complete", "complete", "abort") }),
  key: fc.nat(KEYS.length - 1),
  a: fc.nat(40),
  b: fc.nat(40),
});

interface Running {
  readonly id: number;
  readonly snapshot: KeyedSnapshot;
  readonly model: Model;
}

class World {
  readonly subject: Subject;
  readonly model: Model = emptyModel();
  /** What is in storage. */
  readonly files: Map<string, Uint8Array> = new Map();
  readonly handles: Map<number, KeyedStateHandle> = new Map();
  readonly completed: Set<number> = new Set();
  running: Running[] = [];
  undecided: number[] = [];
  incremental = 0;
  #nextId = 1;

  constructor() {
    const options = { maxParallelism: MAX_PARALLELISM, keyGroupRange: [0, MAX_PARALLELISM - 1] as const, clock: new ManualClock(), incremental: { rotation: Number.POSITIVE_INFINITY, minPages: 1 } };
    this.subject = new Subject(new HeapKeyedStateBackend(options));
  }

  do(step: Command, parallelism: number): void {
    const { backend } = this.subject;
    if (step.op === "snapshot") {
      if (this.running.length < 3) this.#begin((id) => backend.incrementalSnapshot(id));
    } else if (step.op === "alone") {
      const snapshot = backend.snapshot(0);
      if (step.a % 2 === 0) snapshot.abort();
      else snapshot.finish();
    } else if (step.op === "step") this.running[0]?.snapshot.step(0);
    else if (step.op === "finish") this.#finish(step.a, parallelism);
    else if (step.op === "complete") {
      const id = this.undecided[step.a % Math.max(1, this.undecided.length)];
      if (id !== undefined) this.#complete(id, step.b % 3 !== 0);
    } else if (step.op === "abort") this.#abort(step.a);
    else apply(this.subject, this.model, step);
  }

  #begin(make: (id: number) => KeyedSnapshot): void {
    const id = this.#nextId++;
    this.running.push({ id, snapshot: make(id), model: copyModel(this.model) });
  }

  #finish(which: number, parallelism: number): void {
    const [done] = this.running.splice(which % Math.max(1, this.running.length), 1);
    if (done === undefined) return;
    const result = done.snapshot.finish();
    const path = String(done.id);
    this.files.set(path, concat(result.chunks));
    const file = { path, offset: 0, length: result.stateBytes };
    const handle = JSON.parse(JSON.stringify(done.snapshot.handle(result, file, file))) as KeyedStateHandle;
    this.handles.set(done.id, handle);
    this.undecided.push(done.id);
    if ((handle.earlier?.length ?? 0) > 0) this.incremental++;
    for (const { checkpointId } of handle.earlier ?? []) assert.ok(this.completed.has(checkpointId), `${done.id} refers to ${checkpointId}, which is not complete`);
    assertEqualsModel(this.restore(handle, parallelism), copyModel(done.model));
  }

  /** Checkpoints are completed in order: earlier ones that are not will never be. The backend may never hear of it. */
  #complete(id: number, told: boolean): void {
    for (const earlier of this.undecided.filter((other) => other < id)) this.#aborted(earlier);
    for (const running of this.running.filter((other) => other.id < id)) {
      running.snapshot.abort();
      this.#aborted(running.id);
    }
    this.running = this.running.filter((running) => running.id > id);
    this.undecided = this.undecided.filter((other) => other > id);
    this.completed.add(id);
    const oldestBase = this.handles.get(id)!.earlier?.at(-1)?.checkpointId ?? id;
    const usable = [...this.completed].filter((other) => other >= oldestBase);
    const needed = new Set(usable.flatMap((other) => [other, ...(this.handles.get(other)!.earlier ?? []).map((part) => part.checkpointId)]));
    for (const path of this.files.keys()) if (Number(path) < id && !needed.has(Number(path))) this.files.delete(path);
    if (told) this.subject.backend.checkpointComplete(id);
  }

  #abort(which: number): void {
    const [running] = this.running.splice(which % Math.max(1, this.running.length), 1);
    running?.snapshot.abort();
    const id = running?.id ?? this.undecided.pop();
    if (id !== undefined) this.#aborted(id);
  }

  #aborted(id: number): void {
    this.files.delete(String(id));
    this.subject.backend.checkpointAborted(id);
  }

  restore(handle: KeyedStateHandle, parallelism: number): Subject[] {
    const part = ({ file, keyGroups }: Pick<KeyedStateHandle, "file" | "keyGroups">): RestorePart => {
      const bytes = this.files.get(file.path);
      assert.ok(bytes !== undefined, `part ${file.path} is gone`);
      return { bytes, keyGroups };
    };
    return assignKeyedState([handle], MAX_PARALLELISM, parallelism).map((handles, subtask) => {
      const options = { maxParallelism: MAX_PARALLELISM, keyGroupRange: keyGroupRange(MAX_PARALLELISM, parallelism, subtask), clock: new ManualClock() };
      return new Subject(HeapKeyedStateBackend.restore(options, handles.map((mine) => ({ ...part(mine), earlier: (mine.earlier ?? []).map(part) }))));
    });
  }
}

test("an incremental chain restores to the same as a full snapshot, at any parallelism", () => {
  let incremental = 0;
  fc.assert(
    fc.property(fc.array(command, { maxLength: 250, size: "max" }), fc.integer({ min: 1, max: 4 }), (commands, parallelism) => {
      const world = new World();
      for (const step of commands) world.do(step, parallelism);
      while (world.running.length > 0) world.do({ op: "finish", key: 0, a: 0, b: 0 }, parallelism);
      assertEqualsModel([world.subject], world.model);
      incremental += world.incremental;
    }),
    fuzz("incremental snapshots", 300),
  );
  assert.ok(incremental > 100, `only ${incremental} snapshots were incremental`);
});
