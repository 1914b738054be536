import assert from "node:assert/strict";
import { test } from "node:test";
import { isMillraceError, type Clock, type Sink } from "@millrace/core";
import { sinkGuarantees, type SinkGuaranteesOptions } from "@millrace/testkit";
import { AsyncSink, type AsyncSinkClient, type AsyncSinkState } from "../src/index.js";
import { noticed } from "./support/noticed.js";

interface Entry {
  readonly key: string;
}

/** A service that takes a while, and throttles some requests. */
class Service {
  readonly received: string[] = [];
  isReachable: boolean = true;
  #requests: number = 0;

  client(clock: Clock): AsyncSinkClient<Entry> {
    return { submit: (entries) => this.#submit(entries, clock), close() {} };
  }

  async #submit(entries: readonly Entry[], clock: Clock): Promise<readonly Entry[]> {
    const request = ++this.#requests;
    await new Promise<void>((resolve) => void clock.setTimer(1 + ((request * 7) % 11), resolve));
    if (!this.isReachable) throw new Error("the service does not answer");
    const taken = request % 6 === 0 ? entries.slice(0, entries.length >> 1) : entries;
    this.received.push(...taken.map(({ key }) => key));
    return entries.slice(taken.length);
  }
}

type Change = (sink: AsyncSink<string, Entry>) => Sink<string, never, AsyncSinkState<Entry>>;
type ChangeClient = (client: AsyncSinkClient<Entry>) => AsyncSinkClient<Entry>;

function options(change: Change = (same) => same, changeClient: ChangeClient = (same) => same): SinkGuaranteesOptions<string> {
  return {
    name: "asynchronous", guarantee: "at-least-once",
    open: () => {
      const service = new Service();
      const sink = (): AsyncSink<string, Entry> => AsyncSink.of<string, Entry>({
        elementConverter: (key) => ({ key }), connect: ({ clock }) => changeClient(service.client(clock)), maxBatchSize: 5, maxInFlightRequests: 3, maxBufferedRequests: 12, maxTimeInBuffer: 30,
      });
      return {
        sink: () => change(sink()), read: () => service.received,
        outage: { begin: () => void (service.isReachable = false), end: () => void (service.isReachable = true) },
      };
    },
  };
}

for (const { name, run } of sinkGuarantees(options())) test(name, run);

/** A sink whose writers are changed. */
function withWriter(change: (writer: any) => object): Change {
  return (sink) => {
    const changed = (writer: object): any => {
      const bound = Object.fromEntries(["write", "flush", "snapshotState", "close"].map((name) => [name, (...args: unknown[]) => (writer as any)[name](...args)]));
      return { ...bound, ...change(bound) };
    };
    return {
      writerStateCodec: sink.writerStateCodec, createWriter: async (context) => changed(await sink.createWriter(context)),
      restoreWriter: async (context, states) => changed(await sink.restoreWriter(context, states)),
    };
  };
}

const mutants: Readonly<Record<string, { readonly change?: Change; readonly client?: ChangeClient; readonly says: RegExp }>> = {
  "unsent entries that are not in the checkpoint": { change: withWriter(() => ({ snapshotState: () => [] })), says: /lost/ },
  "a checkpoint that waits for nothing and holds nothing": { change: withWriter(() => ({ flush() {}, snapshotState: () => [] })), says: /lost/ },
  "no flush at the end": { change: withWriter((writer) => ({ flush: (endOfInput: boolean) => (endOfInput ? undefined : writer.flush(false)) })), says: /lost/ },
  "state that is not restored": { change: (sink) => ({ writerStateCodec: sink.writerStateCodec, createWriter: (context) => sink.createWriter(context), restoreWriter: (context) => sink.createWriter(context) }), says: /lost/ },
  "throttled entries that are dropped": { client: (client) => ({ ...client, submit: async (entries) => void (await client.submit(entries)) }), says: /lost/ },
  "an answer that comes before the request is done": {
    client: (client) => ({
      ...client,
      submit: async (entries) => {
        void client.submit(entries).catch(() => undefined);
      },
    }),
    says: /lost/,
  },
};

for (const [name, { change, client, says }] of Object.entries(mutants)) {
  test(`the kill tests notice ${name}`, async () => {
    assert.match(await noticed({ ...options(change, client), kills: "some" }), says);
  });
}

test("options are checked", () => {
  const of = (more: object): unknown => AsyncSink.of<string, string>({ elementConverter: (value) => value, connect: () => ({ submit: async () => undefined, close() {} }), ...more });
  const refused = (option: string) => (error: unknown): boolean => isMillraceError(error) && error.code === "OPTION_INVALID" && error.location.option === option;
  assert.throws(() => of({ maxBatchSize: 0 }), refused("maxBatchSize"));
  assert.throws(() => of({ maxInFlightRequests: Number.NaN }), refused("maxInFlightRequests"));
  assert.throws(() => of({ maxBatchSize: 10, maxBufferedRequests: 9 }), refused("maxBufferedRequests"));
  assert.throws(() => of({ maxRecordSizeInBytes: 10 }), refused("sizeInBytes"));
});
