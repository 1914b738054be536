import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TransactionPool } from "../src/sink/transaction-pool.js";
import { TransactionalIds } from "../src/sink/transactional-ids.js";

test("an id is used again only when no snapshot that the job can go back to has its last commit", () => {
  fc.assert(fc.property(fc.array(fc.record({ completes: fc.boolean(), commitLag: fc.nat(2) }), { maxLength: 60 }), (checkpoints) => {
    const pool = new TransactionPool(ids(0, 1));
    /** Prepared and not known to be committed, by snapshot. */
    let pending: { readonly id: string; readonly sequence: number }[] = [];
    /** What the newest complete snapshot would commit again. */
    let restorable = new Set<string>();
    const used = new Set<string>();
    const committing: { readonly ids: readonly string[]; left: number }[] = [];
    let open = pool.take();
    for (const { completes, commitLag } of checkpoints) {
      const sequence = pool.beginSnapshot();
      pending.push({ id: open, sequence });
      const snapshot = pending.map(({ id }) => id);
      open = pool.take();
      used.add(open);
      assert.ok(!pending.some(({ id }) => id === open), `${open} is prepared`);
      assert.ok(!restorable.has(open), `${open} would be committed again after a restore`);
      // Commits come one batch after the other; one that takes long is in the next snapshots, too.
      for (const batch of committing) batch.left--;
      while (committing.length > 0 && committing[0]!.left < 0) {
        const { ids: done } = committing.shift()!;
        for (const id of done) pool.committed(id);
        pending = pending.filter(({ id }) => !done.includes(id));
      }
      if (!completes || committing.length > 0) continue;
      restorable = new Set(snapshot);
      pool.beginCommits(sequence);
      committing.push({ ids: pending.map(({ id }) => id), left: commitLag });
    }
    if (checkpoints.length > 20 && checkpoints.every(({ completes, commitLag }) => completes && commitLag === 0)) assert.ok(used.size <= 6, `${used.size} ids`);
  }));
});

const ids = (subtaskIndex: number, parallelism: number, restoredCheckpointId?: number, attemptNumber: number = 0, random: number = 0, jobId: string = "job-a"): TransactionalIds =>
  new TransactionalIds("p", { jobId, subtaskIndex, parallelism, attemptNumber, restoredCheckpointId, random: () => random });

test("at the start, what failed attempts have begun is left over, and nothing that a checkpoint is to commit", () => {
  const failed = ids(1, 2, 7, 3, 0.5);
  const [a, b, c, d] = [0, 1, 2, 3].map((number) => failed.id(number));
  // Its state went to another subtask: a is to be committed, b was begun after the snapshot, c after the next one, which was never complete.
  const heir = ids(0, 2, 8, 4);
  const state = { transactionalId: b!, prepared: [a!] };
  assert.deepEqual([a, b, c, d].map((id) => heir.isLeftover(id!, [state])), [false, true, true, true]);
  assert.deepEqual([a, b].map((id) => ids(1, 2, 8, 4).isLeftover(id!, [])), [false, false], "without its state nobody knows");
  assert.deepEqual([a, b].map((id) => heir.isLeftover(id!, [{ transactionalId: b! }])), [false, false], "a state of a version that did not say");
  assert.equal(ids(1, 2, 7, 4).isLeftover(a!, []), true, "an attempt from the same checkpoint");
  assert.equal(ids(1, 2, 7, 2).isLeftover(a!, []), false, "a later attempt from the same checkpoint");
  assert.equal(ids(0, 2, 7, 4).isLeftover(a!, []), false, "another subtask looks after it");
  const anew = ids(1, 2, undefined, 0, 0.1, "job-b");
  assert.equal(anew.isLeftover(a!, []), true, "started anew, as another job");
  assert.equal(anew.isLeftover(a!.replace(/j[0-9a-f]{8}/, ""), []), true, "an id of a version that did not name the job");
  assert.equal(ids(0, 1).isLeftover("p-1-3", []), true, "an id of a version that named subtask and number alone");
  assert.equal(ids(0, 1).isLeftover("p-1-a-3", []) || ids(0, 1).isLeftover("q-1-3", []), false, "ids of others");
});

test("an attempt without a checkpoint that is given up before it looks takes nothing from later attempts of its job", () => {
  const givenUp = ids(1, 2, undefined, 1, 0.1);
  assert.equal(givenUp.isLeftover(ids(1, 2, undefined, 0, 0.2).id(0), []), true, "an earlier attempt");
  assert.equal(givenUp.isLeftover(ids(1, 2, undefined, 2, 0.2).id(0), []), false, "the next attempt, which has no checkpoint to go from either");
  assert.equal(givenUp.isLeftover(ids(1, 2, 3, 3, 0.2).id(0), []), false, "one from the first complete checkpoint");
  assert.equal(givenUp.isLeftover(ids(1, 2, 3, 0, 0.2).id(0), []), false, "the same, when attempts are counted anew");
});

test("once a checkpoint is complete, all that earlier attempts have begun is left over, and nothing of later ones", () => {
  const own = ids(1, 2, 8, 4, 0.1);
  assert.equal(own.isLeftoverOfOthers(ids(1, 2, 7, 3, 0.2).id(0), false), true);
  assert.equal(own.isLeftoverOfOthers(ids(3, 4, 8, 3, 0.2).id(0), false), true, "of a subtask that is no more");
  assert.equal(own.isLeftoverOfOthers("p-1-5", false), true, "of a version that did not name the checkpoint");
  assert.equal(own.isLeftoverOfOthers(ids(1, 2, 9, 0, 0.2).id(0), false), false, "this attempt is given up, and does not know it");
  assert.equal(own.isLeftoverOfOthers(ids(1, 2, 9, 0, 0.2).id(0), true), true, "the job has gone back to an older checkpoint");
  assert.equal(own.isLeftoverOfOthers(own.id(3), true), false, "its own");
  assert.equal(own.isLeftoverOfOthers(ids(0, 2, 8, 4, 0.2).id(0), true), false, "another subtask's");
});
