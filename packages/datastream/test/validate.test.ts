import assert from "node:assert/strict";
import { test } from "node:test";
import { type } from "arktype";
import { isFunctionFactory, OutputTag, type ProcessFunction, type RuntimeContext } from "@millrace/core";
import * as v from "valibot";
import { z } from "zod";
import { StreamExecutionEnvironment, type InvalidRecord, type OnInvalid, type StandardSchema } from "../src/index.js";
import { noMetrics } from "./source-driver.js";

/** Runs the function that `validate` adds over some records. */
function validate(schema: StandardSchema<any, any>, invalid: OnInvalid | undefined, records: readonly unknown[]): { readonly out: unknown[]; readonly side: InvalidRecord[]; readonly skipped: number } {
  const stream = StreamExecutionEnvironment.getExecutionEnvironment().fromCollection(records).validate(schema, invalid === undefined ? {} : { invalid });
  const { spec } = stream.node;
  assert.ok(spec.type === "process" && isFunctionFactory(spec.fn));
  const fn = spec.fn.create() as ProcessFunction<unknown, unknown>;
  let skipped = 0;
  void fn.open?.({ metrics: { ...noMetrics, counter: () => ({ inc: () => void skipped++, dec() {}, count: 0 }) } } as unknown as RuntimeContext);
  const out: unknown[] = [];
  const side: InvalidRecord[] = [];
  const context = { timestamp: undefined, timerService: undefined as never, output: (_tag: unknown, value: unknown) => void side.push(value as InvalidRecord) };
  for (const record of records) fn.processElement(record, context as never, { collect: (value) => void out.push(value) });
  return { out, side, skipped };
}

const good = { id: "a", items: [{ amount: 1 }] };
const bad = { id: "b", items: [{ amount: "two" }] };
const schemas: Readonly<Record<string, StandardSchema<any, any>>> = {
  zod: z.object({ id: z.string(), items: z.array(z.object({ amount: z.number() })) }),
  valibot: v.object({ id: v.string(), items: v.array(v.object({ amount: v.number() })) }),
  arktype: type({ id: "string", items: [{ amount: "number" }] }),
};

for (const [vendor, schema] of Object.entries(schemas)) {
  test(`${vendor}: valid records go on, invalid ones where they are sent`, () => {
    const tag = new OutputTag<InvalidRecord>("invalid");
    const sideways = validate(schema, tag, [good, bad, good]);
    assert.deepEqual(sideways.out, [good, good]);
    assert.equal(sideways.side.length, 1);
    assert.equal(sideways.side[0]!.value, bad);
    assert.equal(sideways.side[0]!.issues[0]!.path, "items.0.amount");
    assert.equal(sideways.skipped, 1);
    assert.deepEqual(validate(schema, "skip", [bad, good]), { out: [good], side: [], skipped: 1 });
    assert.throws(() => validate(schema, undefined, [bad]), { code: "RECORD_INVALID", message: /items\.0\.amount/ });
  });
}

test("what the schema returns goes on, not what came in", () => {
  assert.deepEqual(validate(z.object({ n: z.coerce.number().default(7) }), "fail", [{ n: "3" }, {}]).out, [{ n: 3 }, { n: 7 }]);
});

test("schemas with promises and things that are no schema are refused", () => {
  const asynchronous: StandardSchema<any, any> = { "~standard": { version: 1, vendor: "mine", validate: async (value) => ({ value }) } };
  assert.throws(() => validate(asynchronous, "skip", [1]), { code: "VALIDATION_ASYNC", message: /mine/ });
  assert.throws(() => validate({} as never, "skip", []), { code: "SCHEMA_INVALID" });
  assert.throws(() => validate(z.string(), "ignore" as never, []), { code: "SCHEMA_INVALID", message: /"ignore"/ });
});
