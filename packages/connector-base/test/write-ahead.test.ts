import assert from "node:assert/strict";
import { test } from "node:test";
import { isMillraceError, MillraceError } from "@millrace/core";
import { sinkGuarantees, type SinkGuaranteesOptions } from "@millrace/testkit";
import { fileDeliveryLog, WriteAheadSink, type WriteAheadSinkOptions } from "../src/index.js";
import { noticed } from "./support/noticed.js";
import { TestContext } from "./support/writer-context.js";

/** An external system that takes what it is given. With `isIdempotent`, the same batch again has no effect. */
class Receiver {
  readonly batches: { readonly id: string; readonly records: readonly string[] }[] = [];
  isReachable: boolean = true;
  readonly #isIdempotent: boolean;
  #deliveries: number = 0;

  constructor(isIdempotent: boolean) {
    this.#isIdempotent = isIdempotent;
  }

  deliver({ id, records }: { readonly id: string; readonly records: readonly string[] }): void {
    if (!this.isReachable) throw new MillraceError({ code: "RECEIVER_AWAY", message: "not there", recovery: "restart" });
    if (++this.#deliveries % 50 === 0) throw new MillraceError({ code: "RECEIVER_BUSY", message: "try again", recovery: "retry" });
    if (!this.#isIdempotent || !this.batches.some((batch) => batch.id === id)) this.batches.push({ id, records });
  }
}

type Change = (options: WriteAheadSinkOptions<string>, directory: string) => WriteAheadSinkOptions<string>;

function options(guarantee: "exactly-once" | "at-least-once", isIdempotent: boolean, change: Change = (same) => same): SinkGuaranteesOptions<string> {
  return {
    name: "write-ahead", guarantee,
    open: ({ directory }) => {
      const receiver = new Receiver(isIdempotent);
      return {
        sink: () => WriteAheadSink.of(change({ name: "test", connect: () => ({ deliver: (batch) => receiver.deliver(batch), close() {} }), maxBatchRecords: 4 }, directory)),
        read: () => receiver.batches.flatMap(({ records }) => records),
        outage: { begin: () => void (receiver.isReachable = false), end: () => void (receiver.isReachable = true) },
      };
    },
  };
}
const withLog: Change = (same, directory) => ({ ...same, log: fileDeliveryLog(directory) });

for (const { name, run } of sinkGuarantees({ ...options("exactly-once", true), name: "write-ahead to an idempotent system" })) test(name, run);
for (const { name, run } of sinkGuarantees({ ...options("exactly-once", false, withLog), name: "write-ahead with a delivery log", seeds: 6, kills: "some" })) test(name, run);
for (const { name, run } of sinkGuarantees({ ...options("at-least-once", false), name: "write-ahead with neither", seeds: 6, kills: "some" })) test(name, run);

const mutants: Readonly<Record<string, { readonly isIdempotent: boolean; readonly change: Change; readonly says: RegExp }>> = {
  "a system that remembers nothing": { isIdempotent: false, change: (same) => same, says: /too often/ },
  "a log that forgets": { isIdempotent: false, change: (same) => ({ ...same, log: () => ({ isDelivered: () => false, delivered() {}, close() {} }) }), says: /too often/ },
  "a log that is of one process": {
    isIdempotent: false,
    change: (same) => ({
      ...same,
      log: () => {
        const notes = new Set<string>();
        return { isDelivered: ({ id }) => notes.has(id), delivered: ({ id }) => void notes.add(id), close() {} };
      },
    }),
    says: /too often/,
  },
  "a log that takes everything for delivered": { isIdempotent: false, change: (same) => ({ ...same, log: () => ({ isDelivered: () => true, delivered() {}, close() {} }) }), says: /lost/ },
  "a delivery that is put off": {
    isIdempotent: false,
    change: (same) => ({
      ...same,
      connect: (context) => {
        const inner = same.connect(context) as { deliver(batch: object): void; close(): void };
        let waiting: object | undefined;
        return {
          deliver: (batch) => {
            if (waiting !== undefined) inner.deliver(waiting);
            waiting = batch;
          },
          close() {
            if (waiting !== undefined) inner.deliver(waiting);
          },
        };
      },
    }),
    says: /lost|too often|visible behind it/,
  },
};

for (const [name, { isIdempotent, change, says }] of Object.entries(mutants)) {
  test(`the kill tests notice ${name}`, async () => {
    assert.match(await noticed({ ...options("exactly-once", isIdempotent, change), kills: "some" }), says);
  });
}

test("options are checked", () => {
  const refused = (option: string) => (error: unknown): boolean => isMillraceError(error) && error.code === "OPTION_INVALID" && error.location.option === option;
  const connect = (): { deliver(): void; close(): void } => ({ deliver() {}, close() {} });
  assert.throws(() => WriteAheadSink.of({ name: "a/b", connect }), refused("name"));
  assert.throws(() => WriteAheadSink.of({ name: "a", connect, maxBatchRecords: 0 }), refused("maxBatchRecords"));
});

test("batches wait encoded; those of checkpoints of versions that kept the records themselves are delivered, too", async () => {
  const { context } = new TestContext();
  const delivered: (readonly unknown[])[] = [];
  const sink = WriteAheadSink.of<unknown>({ name: "kept", connect: () => ({ deliver: ({ records }) => void delivered.push(records), close() {} }), maxBatchRecords: 2 });
  const writer = sink.createWriter(context);
  for (const value of [1n, new Date(7), { a: undefined }]) await writer.write(value, { timestamp: undefined, currentWatermark: 0 });
  const kept = await writer.prepareCommit();
  assert.ok(kept.every(({ encoded, records }) => encoded instanceof Uint8Array && records === undefined));
  const restored = [...kept, { id: "kept-old", createdMs: 0, records: ["old"] }].map((batch) => sink.committableCodec.decode(sink.committableCodec.encode(batch)));
  const committer = await sink.createCommitter(context);
  await committer.commit(restored.map((committable) => ({
    committable, numberOfRetries: 0, retryLater: assert.fail, signalAlreadyCommitted: assert.fail, signalFailedWithKnownReason: assert.fail,
  })));
  assert.deepEqual(delivered, [[1n, new Date(7)], [{ a: undefined }], ["old"]]);
});
