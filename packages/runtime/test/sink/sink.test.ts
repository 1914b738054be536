import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitRequest, SinkWriterContext } from "@millrace/core";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestJob } from "../support/test-job.js";

/** A transactional sink: what is written becomes visible with the commit, once per transaction id. */
class Transactions {
  readonly committed: Map<string, readonly number[]> = new Map();
  commits = 0;
  refuse = 0;

  sink() {
    return {
      createWriter: (context: SinkWriterContext) => this.#writer(context, 0),
      restoreWriter: (context: SinkWriterContext, [next]: readonly number[]) => this.#writer(context, next!),
      createCommitter: () => ({
        commit: async (requests: readonly CommitRequest<{ readonly id: string; readonly values: readonly number[] }>[]) => {
          this.commits++;
          for (const request of requests) {
            if (this.refuse > 0) {
              this.refuse--;
              request.retryLater();
            } else this.committed.set(request.committable.id, request.committable.values);
          }
        },
        close: () => undefined,
      }),
    };
  }

  get visible(): number[] {
    return [...this.committed.values()].flat();
  }

  #writer(context: SinkWriterContext, first: number) {
    let next = first;
    let open: number[] = [];
    return {
      write: (value: number) => void open.push(value),
      flush: async () => undefined,
      prepareCommit: () => {
        const values = open;
        open = [];
        return values.length === 0 ? [] : [{ id: `${context.subtaskIndex}-${next++}`, values }];
      },
      snapshotState: () => [next],
      close: () => undefined,
    };
  }
}

function job(transactions: Transactions, config: Record<string, unknown>, unbounded = false): TestJob {
  const builder = new GraphBuilder(config);
  const source = builder.add(listSource({ splits: [Array.from({ length: 100 }, (_, i) => i)], chunk: () => 10, unbounded }));
  builder.add({ type: "sink", sink: transactions.sink() as never }, [{ from: source, partitioner: { kind: "rebalance" } }], { parallelism: 2 });
  return new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
}

const all = Array.from({ length: 100 }, (_, i) => i);
const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);

test("without checkpointing the end of input commits", async () => {
  const transactions = new Transactions();
  const running = job(transactions, {});
  running.start();
  await running.finish();
  assert.deepEqual(sorted(transactions.visible), all);
});

test("with checkpointing a commit waits for its checkpoint, and the end of input for one more", async () => {
  const transactions = new Transactions();
  const running = job(transactions, { "execution.checkpointing.interval": 10 });
  running.start();
  await running.clock.runUntil(() => running.events.filter((event) => event.type === "finalCheckpointNeeded").length === 2);
  await running.clock.runFor(100);
  assert.deepEqual(transactions.visible, []);
  assert.equal(running.allIn("FINISHED"), false);
  await running.checkpoint(1);
  await running.finish();
  assert.deepEqual(sorted(transactions.visible), all);
});

test("a refused commit is tried again, and the job fails after sink.committer.retries", async () => {
  const transactions = new Transactions();
  transactions.refuse = 4;
  const running = job(transactions, { "sink.committer.retries": 3 });
  running.start();
  await running.finish();
  assert.deepEqual(sorted(transactions.visible), all);
  const stubborn = new Transactions();
  stubborn.refuse = 1000;
  const failing = job(stubborn, { "sink.committer.retries": 2 });
  failing.start();
  await assert.rejects(failing.finish(), { code: "SINK_COMMIT_FAILED" });
});

test("committables of a checkpoint that nobody was told of are committed after the restore, and the writer goes on where it stood", async () => {
  const transactions = new Transactions();
  const running = job(transactions, { "execution.checkpointing.interval": 10 }, true);
  running.start();
  await running.clock.runFor(50);
  running.trigger(1);
  await running.clock.runUntil(() => running.acknowledged.get(1)?.size === 3 && running.coordinatorSnapshots.get(1)?.size === 1);
  assert.deepEqual(transactions.visible, []);
  await running.cancel();
  running.start({ id: 1, tasks: running.acknowledged.get(1)!, coordinators: running.coordinatorSnapshots.get(1)! });
  await running.clock.runFor(50);
  assert.deepEqual(sorted(transactions.visible), all);
  await running.checkpoint(2);
  assert.equal(new Set(transactions.visible).size, transactions.visible.length);
  await running.cancel();
});

test("records that come while a write is pending are written afterwards, in order, one at a time", async () => {
  const written: number[] = [];
  let busy = 0;
  const builder = new GraphBuilder();
  const source = builder.add(listSource({ splits: [all], chunk: () => 40 }));
  const writer = {
    write: (value: number) => {
      assert.equal(busy, 0);
      if (value % 3 !== 0) return void written.push(value);
      busy++;
      return new Promise<void>((resolve) => void running.clock.setTimer(1, () => {
        busy--;
        written.push(value);
        resolve();
      }));
    },
    flush: () => undefined,
    close: () => undefined,
  };
  builder.add({ type: "sink", sink: { createWriter: () => writer } as never }, [{ from: source }]);
  const running = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  running.start();
  await running.finish();
  assert.deepEqual(written, all);
});

test("what a writer collects comes back with the checkpoint it stands behind", async () => {
  const builder = new GraphBuilder();
  const source = builder.add(listSource({ splits: [[1, 2, 3]] }));
  const sink = {
    createWriter: (context: SinkWriterContext) => ({ write: (value: number) => context.collect!("results", [value]), flush: () => undefined, close: () => undefined }),
  };
  builder.add({ type: "sink", sink: sink as never }, [{ from: source }]);
  const running = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  running.start();
  await running.finish();
  assert.deepEqual(running.collected.get("results"), [1, 2, 3]);
  assert.ok(running.events.every((event) => event.type !== "collected" || event.afterCheckpoint === 0));
});
