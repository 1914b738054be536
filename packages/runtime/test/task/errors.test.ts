import assert from "node:assert/strict";
import { test } from "node:test";
import { functionFactory, type Collector, type MillraceError, type RuntimeContext } from "@millrace/core";
import type { OperatorSpec } from "@millrace/graph";
import { arraySink } from "../support/collect-sink.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestJob } from "../support/test-job.js";

async function failureOf(specs: readonly (readonly [string, OperatorSpec])[], config: Record<string, unknown> = {}): Promise<MillraceError> {
  const builder = new GraphBuilder(config);
  let from = builder.add(listSource({ splits: [[1, 2, 3, 4, 5]], timestampOf: (value: number) => value }), [], { name: "numbers" });
  for (const [name, spec] of specs) from = builder.add(spec, [{ from }], { name });
  builder.add(arraySink([]), [{ from }], { name: "out" });
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  return job.finish().then(() => assert.fail("the job did not fail"), (error: MillraceError) => error);
}

const identity = (value: number): number => value;
const boom = (value: number): number => {
  if (value === 3) throw new TypeError("three is not allowed");
  return value;
};

for (const compiled of [true, false]) {
  const config = { "pipeline.chain-compiler.enabled": compiled };
  const path = compiled ? "compiled" : "reference";

  test(`an exception names the operator that threw it, in the middle of a chain (${path})`, async () => {
    const error = await failureOf([["first", { type: "map", fn: identity }], ["checker", { type: "map", fn: boom }], ["last", { type: "map", fn: identity }]], config);
    assert.equal(error.code, "USER_FUNCTION_FAILED");
    assert.equal(error.location.operator, "checker");
    assert.equal(error.location.subtask, 0);
    assert.match(error.message, /checker.*three is not allowed/);
    assert.equal((error.cause as Error).name, "TypeError");
    assert.match((error.cause as Error).stack!, /errors\.test\.ts/);
  });

  test(`a key that is none names the operator it leads to, and shows key and record (${path})`, async () => {
    const failure = async (keySelector: (value: number) => unknown): Promise<MillraceError> => {
      const builder = new GraphBuilder(config);
      const numbers = builder.add(listSource({ splits: [[1, 2]], timestampOf: (value: number) => value }), [], { name: "numbers" });
      const counted = builder.add({ type: "map", fn: identity }, [{ from: numbers, partitioner: { kind: "hash", keySelector } }], { name: "counted" });
      builder.add(arraySink([]), [{ from: counted }], { name: "out" });
      const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
      job.start();
      return job.finish().then(() => assert.fail("the job did not fail"), (error: MillraceError) => error);
    };
    const missing = await failure((value) => ({ id: value === 2 ? undefined : 1 }));
    assert.equal(missing.code, "KEY_INVALID");
    assert.equal(missing.message, 'the key of the input of "counted" must not be undefined (at key.id): it is {} for the record 2');
    assert.equal(missing.location.operator, "input of counted");
    const thrown = await failure(() => {
      throw new TypeError("no key");
    });
    assert.equal(thrown.code, "USER_FUNCTION_FAILED");
    assert.equal(thrown.message, 'the key selector of the input of "counted" failed for the record 1: no key');
    assert.equal((thrown.cause as Error).message, "no key");
  });

  test(`so does one behind a flatMap and a filter (${path})`, async () => {
    const flatMap = (value: number, out: Collector<number>): void => out.collect(value);
    const error = await failureOf([["split", { type: "flatMap", fn: flatMap }], ["choose", { type: "filter", fn: () => true }], ["checker", { type: "map", fn: boom }]], config);
    assert.equal(error.location.operator, "checker");
  });

  for (const [type, fn] of [["map", () => Promise.resolve(1)], ["filter", () => Promise.resolve(true)], ["flatMap", () => Promise.resolve()]] as const) {
    test(`a promise from ${type} is refused and asyncMap named (${path})`, async () => {
      const error = await failureOf([["slow", { type, fn } as unknown as OperatorSpec]], config);
      assert.equal(error.code, "FUNCTION_RETURNED_PROMISE");
      assert.match(error.hint!, /asyncMap/);
    });
  }

  test(`changing a record after it was emitted throws where it happens when records are frozen (${path})`, async () => {
    const kept: { n: number }[] = [];
    const error = await failureOf([
      ["make", { type: "map", fn: (value: number) => {
        if (kept.length > 0) kept[0]!.n = 7;
        const record = { n: value };
        kept.push(record);
        return record;
      } }],
    ], { ...config, "pipeline.freeze-records": true });
    assert.equal(error.location.operator, "make");
    assert.match(error.message, /read only/);
  });
}

test("an error with a code keeps it and learns where it happened", async () => {
  class Reader {
    open(context: RuntimeContext): void {
      context.cachedFile("cites");
    }
    map(value: number): number {
      return value;
    }
  }
  const error = await failureOf([["lookup", { type: "map", fn: functionFactory(() => new Reader()) }]]);
  assert.equal(error.code, "CACHED_FILE_UNKNOWN");
});

test("time stamps that are no integers are refused, with the record", async () => {
  for (const bad of [Number.NaN, 1.5, Number.POSITIVE_INFINITY, undefined, "12", new Date(0)]) {
    const { WatermarkStrategy } = await import("@millrace/core");
    const watermarks = WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner(() => bad as number);
    const error = await failureOf([["stamp", { type: "timestamps", watermarks }]]);
    assert.equal(error.code, "TIMESTAMP_INVALID", String(bad));
    const builder = new GraphBuilder();
    const source = builder.add(listSource({ splits: [[1]], watermarks }), [], { name: "numbers" });
    builder.add(arraySink([]), [{ from: source }]);
    const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
    job.start();
    await assert.rejects(job.finish(), { code: "TIMESTAMP_INVALID" });
  }
});

test("operators are closed after a failure, and a failing close is only logged", async () => {
  const closed: string[] = [];
  class Closing {
    readonly #name: string;
    constructor(name: string) {
      this.#name = name;
    }
    map(value: number): number {
      if (this.#name === "b") throw new Error("b failed");
      return value;
    }
    async close(): Promise<void> {
      await Promise.resolve();
      closed.push(this.#name);
      throw new Error("close failed too");
    }
  }
  const error = await failureOf(["a", "b", "c"].map((name) => [name, { type: "map", fn: functionFactory(() => new Closing(name)) }] as const));
  assert.match(error.message, /b failed/);
  assert.deepEqual(closed, ["a", "b", "c"]);
});

test("cancelling closes operators that wait for a promise", async () => {
  let closed = false;
  const builder = new GraphBuilder();
  const source = builder.add(listSource({ splits: [[1, 2, 3]], unbounded: true }));
  const never = new Promise<void>(() => undefined);
  const sink = { createWriter: () => ({ write: () => never, flush: () => undefined, close: () => void (closed = true) }) };
  builder.add({ type: "sink", sink: sink as never }, [{ from: source }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await job.clock.runFor(100);
  await job.cancel();
  assert.ok(closed);
  assert.ok(job.allIn("CANCELED"));
});

class Money {
  readonly amount = 1;
}

for (const [what, value] of [["a class instance", new Money()], ["a function", { f: () => 1 }], ["a symbol", Symbol("x")]] as const) {
  test(`${what} is refused on an edge, in one thread as between threads`, async () => {
    for (const roundTripLocalEdges of [true, false]) {
      const builder = new GraphBuilder();
      const source = builder.add(listSource({ splits: [[1]] }));
      const map = builder.add({ type: "map", fn: () => value }, [{ from: source }], { name: "make" });
      builder.add(arraySink([]), [{ from: map, partitioner: { kind: "rebalance" } }]);
      const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), executor: { roundTripLocalEdges } });
      job.start();
      await assert.rejects(job.finish(), { code: "RECORD_NOT_ENCODABLE" });
    }
  });
}
