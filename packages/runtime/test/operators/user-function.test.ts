import assert from "node:assert/strict";
import { test } from "node:test";
import { functionFactory, type Collector, type ProcessContext } from "@millrace/core";
import { KeyedOneInputHarness, OneInputHarness } from "@millrace/testkit";
import { instantiate, resolveFunction } from "../../src/operators/user-function.js";

class Echo {
  readonly prefix: string;
  constructor(prefix = "") {
    this.prefix = prefix;
  }
  processElement(value: string, _context: ProcessContext, out: Collector<string>): undefined {
    out.collect(this.prefix + value);
  }
}

test("a function is given as a class, a factory, or an arrow function that makes it", () => {
  for (const source of [Echo, functionFactory(() => new Echo("a")), () => new Echo("a")]) {
    assert.ok(instantiate(source, "op", ["processElement"]) instanceof Echo);
  }
});

test("an instance is refused, with its class in the hint", () => {
  assert.throws(() => instantiate(new Echo(), "op", ["processElement"]), { code: "FUNCTION_INSTANCE", hint: "give the class (Echo) or a factory (() => new Echo(…))" });
  assert.throws(() => resolveFunction({ map: (x: number) => x }, "op", "map"), { code: "FUNCTION_INSTANCE" });
});

test("other things are refused by what they are", () => {
  assert.throws(() => instantiate((value: unknown) => value, "op", ["processElement"]), { code: "FUNCTION_INVALID" });
  assert.throws(() => instantiate(() => ({}), "op", ["processElement"]), { code: "FUNCTION_INVALID", message: /without processElement\(\)/ });
  assert.throws(() => instantiate(undefined, "op", ["processElement"]), { code: "FUNCTION_INVALID" });
});

test("asynchronous functions are refused before the first record, or at the first promise", async () => {
  const refused = { code: "FUNCTION_RETURNED_PROMISE", hint: /asyncMap/ };
  assert.throws(() => resolveFunction(async (x: number) => x, "op", "map"), refused);
  assert.throws(() => instantiate(() => ({ processElement: async () => {} }), "op", ["processElement"]), refused);
  const process = await OneInputHarness.open<number, number>({ type: "process", fn: () => ({ processElement: () => Promise.resolve() as never }) });
  assert.throws(() => process.processElement(1), refused);
  const reduce = await KeyedOneInputHarness.open<number, number>({ type: "keyedReduce", fn: (() => Promise.resolve(1)) as never }, { key: () => 0 });
  reduce.processElement(1);
  assert.throws(() => reduce.processElement(2), refused);
});
