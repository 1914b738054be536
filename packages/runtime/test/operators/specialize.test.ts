import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { specialize } from "../../src/operators/specialize.js";

function counterFactory(step: number): new () => { next(): number } {
  class Counter {
    #count = 0;
    next(): number {
      const named = (): number => (this.#count += step);
      return named();
    }
  }
  return Counter;
}

test("each id gets code of its own, with the dependencies it is called with", () => {
  const one = specialize(counterFactory, "operator 1");
  const two = specialize(counterFactory, "operator 2");
  assert.notEqual(one, two);
  assert.notEqual(one.toString(), "");
  const counter = new (one(3))();
  assert.deepEqual([counter.next(), counter.next(), new (two(10))().next()], [3, 6, 10]);
});

test("an id cannot break out of its comment", () => {
  for (const id of ["a\nthrow 1", "b\u2028throw 1", "*/ throw 1", "`${1}`"]) assert.equal(new (specialize(counterFactory, id)(1))().next(), 1);
});

test("where evaluating text is forbidden the factory itself is used", () => {
  const program = `
    const { specialize } = await import(${JSON.stringify(new URL("../../src/operators/specialize.ts", import.meta.url).href)});
    const factory = (step) => step + 1;
    console.log(specialize(factory, "x") === factory, specialize(factory, "x")(1));`;
  const output = execFileSync(process.execPath, ["--disallow-code-generation-from-strings", "--import", "tsx", "--input-type=module", "-e", program], { encoding: "utf8" });
  assert.equal(output.trim(), "true 2");
});
