import assert from "node:assert/strict";
import { test } from "node:test";
import { CommitBacklog } from "../../src/sinks/commit-backlog.js";

function gate(): { readonly open: () => void; readonly closed: Promise<void> } {
  let open!: () => void;
  const closed = new Promise<void>((resolve) => (open = resolve));
  return { open, closed };
}

test("a writer waits for the program alone: never for a checkpoint, and never while nothing is being committed", () => {
  const backlog = new CommitBacklog();
  for (let i = 0; i < 5; i++) backlog.prepared({});
  assert.equal(backlog.wait(1_000_000), undefined);
});

test("while a commit waits, a writer may be half as much ahead, and after the next checkpoint nothing more", async () => {
  const backlog = new CommitBacklog();
  const [first, second] = [{}, {}];
  backlog.prepared(first);
  const { open, closed } = gate();
  const committing = backlog.whileCommitting([first], 10_000, () => closed);
  assert.equal(backlog.wait(4_999), undefined);
  const wait = backlog.wait(5_000);
  assert.ok(wait instanceof Promise);
  backlog.prepared(second);
  assert.equal(backlog.wait(1), wait);
  open();
  await Promise.all([wait, committing]);
  assert.equal(backlog.wait(1_000_000), undefined);
  const small = gate();
  void backlog.whileCommitting([second], 1, () => small.closed);
  assert.equal(backlog.wait(1_023), undefined);
  assert.ok(backlog.wait(1_024) instanceof Promise);
});

test("a commit that failed holds nobody up", async () => {
  const backlog = new CommitBacklog();
  const { closed, open } = gate();
  const committing = backlog.whileCommitting([{}], 1, async () => {
    await closed;
    throw new Error("gone");
  });
  const wait = backlog.wait(5000);
  open();
  await assert.rejects(committing, /gone/);
  await wait;
});
