// Sums that senders add up before the exchange: counted, and in an unaligned checkpoint of no use to a window that takes records.
import assert from "node:assert/strict";
import { test } from "node:test";
import { commutative, TumblingEventTimeWindows, WatermarkStrategy, isMillraceError, type FileSystem, type Sink } from "@millrace/core";
import { DataGeneratorSource, RateLimiterStrategy } from "@millrace/datastream";
import { MemoryFileSystem, VirtualTimeEnvironment } from "@millrace/testkit";

const RECORDS = 4000;
const KEYS = 50;

/** Writes only what the test allows. */
class Gate implements Sink<unknown> {
  #permits = 0;
  #waiting: (() => void) | undefined;

  createWriter() {
    return { write: () => this.#write(), flush: () => undefined, close: () => undefined };
  }

  allow(records: number): void {
    this.#permits += records;
    this.#waiting?.();
    this.#waiting = undefined;
  }

  #write(): void | Promise<void> {
    if (this.#permits-- > 0) return;
    this.#permits = 0;
    return new Promise<void>((resolve) => (this.#waiting = resolve)).then(() => this.#write());
  }
}

interface Options {
  readonly fs: FileSystem;
  readonly combines: boolean;
  readonly from?: string;
  /** Its senders keep every record, since one that is late may count by itself. */
  readonly lateness?: boolean;
}

function jobOf({ fs, combines, from, lateness = false }: Options): { readonly virtual: VirtualTimeEnvironment; readonly gate: Gate } {
  const virtual = new VirtualTimeEnvironment({
    fs, separateSlots: true,
    config: {
      "execution.checkpointing.interval": "1 h", "execution.checkpointing.dir": "/checkpoints", "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
      "execution.checkpointing.unaligned.enabled": true, "pipeline.combine-windows.enabled": combines, "parallelism.default": 2, "taskmanager.network.batch-size": 4,
      "taskmanager.network.memory.buffers-per-channel": 2, ...(from === undefined ? {} : { "execution.state-recovery.path": from }),
    },
  });
  const gate = new Gate();
  const numbers = virtual.env.fromSource(new DataGeneratorSource((index) => index, RECORDS, RateLimiterStrategy.perSecond(1000)), WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner((value) => value), "numbers").uid("numbers");
  const windows = numbers.keyBy((value) => value % KEYS).window(TumblingEventTimeWindows.of("200 ms"));
  (lateness ? windows.allowedLateness("1 s") : windows).reduce(commutative((a: number, b: number) => a + b)).name("sums").uid("sums").rebalance().sinkTo(gate).uid("gate").setParallelism(1);
  return { virtual, gate };
}

const combined = (virtual: VirtualTimeEnvironment): readonly (number | undefined)[] =>
  virtual.job.view().vertices[0]!.subtasks.map(({ current }) => (current.metrics as Readonly<Record<string, number>>)["numRecordsCombined"]);

test("a checkpoint with sums in flight is refused by a window that takes records, and taken by one that takes sums", async () => {
  const fs = new MemoryFileSystem();
  const { virtual, gate } = jobOf({ fs, combines: true });
  await virtual.submit();
  await virtual.advance(5000);
  assert.ok(combined(virtual).every((count) => count! > 0), String(combined(virtual)));
  void virtual.job.triggerCheckpoint().catch(() => undefined);
  // A window that fires goes on until the sink has taken its results; then comes the barrier, before the sums that wait.
  let { completed } = virtual.job.view().checkpoints.latest;
  for (let taken = 0; completed === undefined && taken < KEYS * 10; taken += 4) {
    gate.allow(4);
    await virtual.advance(100);
    ({ completed } = virtual.job.view().checkpoints.latest);
  }
  assert.ok(completed !== undefined);
  assert.ok(completed.tasks.flatMap((task) => task.acknowledged).some(({ persistedBytes }) => persistedBytes > 0));
  const from = completed.path!;
  virtual.job.cancel();
  await virtual.advance(1000);

  const changed = jobOf({ fs, combines: true, from, lateness: true });
  await changed.virtual.submit();
  const failing = changed.virtual.job.result;
  await changed.virtual.advance(60_000);
  await assert.rejects(failing, (error) => {
    for (let cause: unknown = error; isMillraceError(cause); cause = cause.cause) {
      if (cause.code !== "CHECKPOINT_IN_FLIGHT_UNMATCHED") continue;
      assert.match(cause.message, /the unaligned checkpoint holds what senders had added up for "sums", which takes records only now/);
      assert.match(cause.hint!, /restore with the windows as they were .* or change them over a savepoint/);
      return true;
    }
    throw error;
  });

  const same = jobOf({ fs, combines: false, from });
  await same.virtual.submit();
  same.gate.allow(RECORDS);
  await same.virtual.advance(60_000);
  assert.equal(same.virtual.job.metrics().status, "FINISHED");
  // It takes sums that are in flight without adding up anything itself.
  assert.deepEqual(combined(same.virtual), [undefined, undefined]);
});
