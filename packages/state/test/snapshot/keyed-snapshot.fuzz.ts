import * as fc from "fast-check";
import { test } from "node:test";
import type { KeyedSnapshot } from "../../src/index.js";
import { KEYS, OPS, Subject, apply, assertEqualsModel, copyModel, emptyModel, restoreAt, store, type Command, type Model } from "../keyed-model.js";
import { fuzz } from "../seed.js";

// Invariants: whatever happens while a snapshot is written, it holds the state of its start, all of it, once; it restores at any parallelism,
// and what those subtasks write restores at any other; the backend goes on as if there had been no snapshot.

const command: fc.Arbitrary<Command> = fc.record({
  op: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...OPS) }, { weight: 2, arbitrary: fc.constantFrom("snapshot", "step", "step", "finish", "abort") }),
  key: fc.nat(KEYS.length - 1),
  a: fc.nat(40),
  b: fc.nat(40),
});

interface Running {
  readonly snapshot: KeyedSnapshot;
  readonly model: Model;
}

function check({ snapshot, model }: Running, parallelism: number, again: number): void {
  const first = restoreAt([store(snapshot.finish())], parallelism);
  const second = first.map(({ backend }) => store(backend.snapshot(2).finish()));
  assertEqualsModel(first, copyModel(model));
  assertEqualsModel(restoreAt(second, again), copyModel(model));
}

test("a snapshot holds the state of its start, at any parallelism", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 150, size: "max" }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (commands, p1, p2) => {
      const subject = Subject.empty();
      const model = emptyModel();
      const running: Running[] = [];
      for (const step of commands) {
        const which = step.a % Math.max(running.length, 1);
        if (step.op === "snapshot") {
          if (running.length < 3) running.push({ snapshot: subject.backend.snapshot(1, 1), model: copyModel(model) });
        } else if (step.op === "step") running[which]?.snapshot.step(0);
        else if (step.op === "abort") running.splice(which, 1)[0]?.snapshot.abort();
        else if (step.op === "finish") {
          const done = running.splice(which, 1)[0];
          if (done !== undefined) check(done, p1, p2);
        } else apply(subject, model, step);
      }
      for (const left of running) check(left, p1, p2);
      check({ snapshot: subject.backend.snapshot(9), model }, p2, p1);
      assertEqualsModel([subject], model);
    }),
    fuzz("keyed snapshots", 300),
  );
});
