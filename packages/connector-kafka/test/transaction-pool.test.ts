import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TransactionPool, subtaskOfId, transactionalIdOf } from "../src/sink/transaction-pool.js";

test("an id is used again only when no snapshot that the job can go back to has its last commit", () => {
  fc.assert(fc.property(fc.array(fc.record({ completes: fc.boolean(), commitLag: fc.nat(2) }), { maxLength: 60 }), (checkpoints) => {
    const pool = new TransactionPool("p", 0, ["p-0-1"]);
    /** Prepared and not known to be committed, by snapshot. */
    let pending: { readonly id: string; readonly sequence: number }[] = [];
    /** What the newest complete snapshot would commit again. */
    let restorable = new Set<string>();
    const ids = new Set<string>();
    const committing: { readonly ids: readonly string[]; left: number }[] = [];
    let open = pool.take();
    for (const { completes, commitLag } of checkpoints) {
      const sequence = pool.beginSnapshot();
      pending.push({ id: open, sequence });
      const snapshot = pending.map(({ id }) => id);
      open = pool.take();
      ids.add(open);
      assert.notEqual(open, "p-0-1", "an id of somebody else");
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
    if (checkpoints.length > 20 && checkpoints.every(({ completes, commitLag }) => completes && commitLag === 0)) assert.ok(ids.size <= 6, `${ids.size} ids`);
  }));
});

test("ids name their subtask", () => {
  assert.equal(subtaskOfId("a-1", "a-1-3-17"), 3);
  assert.equal(subtaskOfId("a", "a-1-3-17"), undefined);
  assert.equal(subtaskOfId("a", "b-1-3"), undefined);
});

test("after a restore, no id is taken that a state may name and brokers do not know", () => {
  // The former writer of this subtask had used 0 to 4, and its state, which went to another subtask, says 5.
  const known = Array.from({ length: 5 }, (_, index) => transactionalIdOf("p", 1, index));
  assert.equal(new TransactionPool("p", 1, known, true).take(), "p-1-6");
  assert.equal(new TransactionPool("p", 1, known).take(), "p-1-5");
  assert.equal(new TransactionPool("p", 1, [transactionalIdOf("p", 0, 9)], true).take(), "p-1-1");
});
