import assert from "node:assert/strict";
import { test } from "node:test";
import { Types } from "@millrace/core";
import { compareFingerprints, translate, type JobGraph } from "../src/index.js";
import { jobId, Program } from "./program.js";

function graphOf(change: (program: Program) => void, options: Readonly<Record<string, unknown>> = {}): JobGraph {
  const program = new Program();
  change(program);
  return translate(program.pipeline(options), { jobId });
}
function base(program: Program): void {
  program.sink(program.keyed(program.map(program.source())));
}

test("two runs that build the same agree, and so do other parallelisms and chains", () => {
  const planned = graphOf(base);
  compareFingerprints(planned, graphOf(base));
  compareFingerprints(planned, graphOf(base, { "parallelism.default": 4, "pipeline.operator-chaining.enabled": false }));
  compareFingerprints(JSON.parse(JSON.stringify(planned)), graphOf(base));
});

test("the first operator that differs is named, with what differs", () => {
  const planned = graphOf(base);
  const differs = (change: (program: Program) => void, message: RegExp): void => {
    assert.throws(() => compareFingerprints(planned, graphOf(change)), { code: "JOB_NOT_DETERMINISTIC", message });
    assert.throws(() => compareFingerprints(JSON.parse(JSON.stringify(planned)), graphOf(change)), { message });
  };
  differs((p) => p.sink(p.keyed(p.map(p.source(), { spec: { type: "map", fn: (x: number) => x + 2 } }))), /operator 2 \("Map"\) differs: the source text of its function "fn"/);
  differs((p) => p.sink(p.keyed(p.map(p.source()), (x: number) => x % 2)), /operator 3 \("Keyed Reduce"\).*"keySelector0"/);
  differs((p) => p.sink(p.keyed(p.map(p.source(), { name: "Mop" }))), /operator 2 \("Map"\) differs: its name was planned as "Map" and is "Mop"/);
  differs((p) => p.sink(p.keyed(p.map(p.source(), { uid: "m" }))), /its uid was planned as none and is "m"/);
  differs((p) => p.sink(p.keyed(p.map(p.source(), { outputType: Types.int as never }))), /operator 2 .*its declared type/);
  differs((p) => p.sink(p.keyed(p.map(p.source(), {}, { kind: "shuffle" }))), /operator 2 .*what it reads/);
  differs((p) => p.keyed(p.map(p.source())), /operator 4 \("Sink: out"\) differs: it was planned, and is missing/);
  differs((p) => { base(p); p.map(p.nodes[0]!); }, /operator 5 \("Map"\) differs: it was not planned/);
});

test("plain option values count, captured values cannot", () => {
  const withOption = (size: number): JobGraph => graphOf((p) => p.add({ type: "window", keyed: false, assigner: { sizeMs: size, assignWindows: () => [] } as never, allowedLatenessMs: 0 }, "W", [[p.source(), { kind: "global" }]]));
  assert.throws(() => compareFingerprints(withOption(1), withOption(2)), { message: /the values of its options/ });
  const capturing = (captured: number): JobGraph => graphOf((p) => p.map(p.source(), { spec: { type: "map", fn: (x: number) => x + captured } }));
  compareFingerprints(capturing(1), capturing(2));
});

test("cycles, getters that throw and huge arrays in an operator are harmless", () => {
  const sink: Record<string, unknown> = { createWriter: () => {}, rows: Array.from({ length: 100_000 }, (_, i) => ({ i })) };
  sink["self"] = sink;
  Object.defineProperty(sink, "boom", { enumerable: true, get: () => { throw new Error("boom"); } });
  const once = (): JobGraph => graphOf((p) => p.add({ type: "sink", sink: sink as never }, "out", [[p.source(), { kind: "global" }]]));
  compareFingerprints(once(), once());
});
