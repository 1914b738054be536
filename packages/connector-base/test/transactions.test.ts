import assert from "node:assert/strict";
import { test } from "node:test";
import { isMillraceError, type CommitRequest, type CommittingSinkWriter, type SinkWriterContext, type StatefulSinkWriter } from "@millrace/core";
import { TransactionalStore } from "@millrace/testkit";
import { TwoPhaseCommitSink, type Transaction, type TwoPhaseCommitSinkOptions } from "../src/index.js";
import { TestContext } from "./support/writer-context.js";

const requestOf = (committable: Transaction): CommitRequest<Transaction> => ({ committable, numberOfRetries: 0, retryLater() {}, signalAlreadyCommitted() {}, signalFailedWithKnownReason: (error) => assert.fail(String(error)) });

function sinkTo(store: TransactionalStore<string>, more: Partial<TwoPhaseCommitSinkOptions<string>> = {}): TwoPhaseCommitSink<string> {
  return TwoPhaseCommitSink.of<string>({ connect: () => store.connect(), transactionalIdPrefix: "p", ...more });
}

async function prepared(sink: TwoPhaseCommitSink<string>, { context }: TestContext, ...values: readonly string[]): Promise<Transaction> {
  const writer = (await sink.createWriter(context)) as CommittingSinkWriter<string, Transaction>;
  for (const value of values) await writer.write(value, { timestamp: undefined, currentWatermark: 0 });
  const [transaction] = await writer.prepareCommit();
  await writer.close();
  return transaction!;
}

test("a commit close to the timeout is warned of, and so is an interval that is too long", async () => {
  const store = new TransactionalStore<string>();
  const sink = sinkTo(store, { transactionTimeout: "10 min" });
  const setting = new TestContext({ "execution.checkpointing.interval": "9 min" });
  const transaction = await prepared(sink, setting, "a");
  assert.match(setting.logLines.join("\n"), /given up after 600000 ms, and checkpoints come only every 540000 ms/);
  await setting.pass(9 * 60_000);
  const committer = await sink.createCommitter(setting.context);
  await committer.commit([requestOf(transaction)]);
  assert.match(setting.logLines.at(-1)!, /was committed 540000 ms after it began/);
  assert.deepEqual(store.visible, ["a"]);
});

test("without checkpoints, that commits come at the end only is warned of", async () => {
  const setting = new TestContext();
  await prepared(sinkTo(new TransactionalStore()), setting, "a");
  assert.match(setting.logLines.join("\n"), /without checkpoints/);
});

test("a transaction that the external system has given up fails the job, or is warned of", async () => {
  for (const onTransactionLost of ["fail", "warn"] as const) {
    const store = new TransactionalStore<string>();
    const sink = sinkTo(store, { onTransactionLost });
    const setting = new TestContext({ "execution.checkpointing.interval": "1 s" });
    const transaction = await prepared(sink, setting, "a");
    store.connect().abort(transaction.id);
    const committer = await sink.createCommitter(setting.context);
    let failure: unknown;
    await committer.commit([{ ...requestOf(transaction), signalFailedWithKnownReason: (error) => void (failure = error) }]);
    if (onTransactionLost === "fail") assert.ok(isMillraceError(failure) && failure.code === "SINK_TRANSACTION_LOST");
    else assert.match(setting.logLines.at(-1)!, /its records are lost/);
  }
});

test("transactions of other prefixes are left alone", async () => {
  const store = new TransactionalStore<string>();
  const other = await prepared(sinkTo(store, { transactionalIdPrefix: "p-other" }), new TestContext(), "theirs");
  await prepared(sinkTo(store), new TestContext(), "mine");
  assert.ok(store.uncommitted.includes(other.id));
});

test("an attempt that was given up and wakes up takes nothing away from its successor", async () => {
  const store = new TransactionalStore<string>();
  const sink = sinkTo(store);
  const former = new TestContext().context;
  const successor = { ...new TestContext().context, restoredCheckpointId: 1 };
  const open = async (context: SinkWriterContext, states: readonly never[]) => ({ committer: await sink.createCommitter(context), writer: (await sink.restoreWriter(context, states)) as CommittingSinkWriter<string, Transaction> & StatefulSinkWriter<string, never> });
  const write = async ({ writer }: Awaited<ReturnType<typeof open>>, value: string): Promise<Transaction> => {
    await writer.write(value, { timestamp: undefined, currentWatermark: 0 });
    return (await writer.prepareCommit())[0]!;
  };
  const first = await open(former, []);
  const one = await write(first, "one");
  const second = await open(successor, await first.writer.snapshotState(1));
  await second.committer.commit([requestOf(one)]);
  const two = await write(second, "two");
  // Only now the first hears that its checkpoint is complete: it commits, and aborts what it takes for left over.
  await first.writer.write("never", { timestamp: undefined, currentWatermark: 0 });
  await first.committer.commit([requestOf(one)]);
  assert.ok(store.uncommitted.includes(two.id));
  await second.committer.commit([requestOf(two)]);
  assert.deepEqual(store.visible, ["one", "two"]);
  assert.deepEqual(store.uncommitted, [], "what the first has begun since is aborted by the second");
  for (const { committer, writer } of [first, second]) {
    await writer.close();
    await committer.close();
  }
});
