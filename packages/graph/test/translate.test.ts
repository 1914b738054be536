import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputTag } from "@millrace/core";
import { jobPlan, streamPlan, translate } from "../src/index.js";
import { jobId, Program } from "./program.js";

function chains(program: Program, options: Readonly<Record<string, unknown>> = {}): string[] {
  return translate(program.pipeline(options), { jobId }).vertices.map((vertex) => vertex.name);
}

test("one-to-one operators become one task, a key starts the next", () => {
  const program = new Program();
  program.sink(program.keyed(program.map(program.source())));
  assert.deepEqual(chains(program), ["Source: numbers -> Map", "Keyed Reduce -> Sink: out"]);
});

test("a chain with branches is named and ordered as Flink does", () => {
  const program = new Program();
  const source = program.source();
  const map = program.map(source);
  program.sink(map);
  program.sink(program.map(source, { name: "Other" }));
  const graph = translate(program.pipeline(), { jobId });
  assert.equal(graph.vertices[0]!.name, "Source: numbers -> (Map -> Sink: out, Other -> Sink: out)");
  const seen = new Set<string>();
  for (const operator of graph.vertices[0]!.operators) {
    if (operator.chainedTo !== undefined) assert.ok(seen.has(operator.chainedTo.operatorId));
    seen.add(operator.id);
  }
  assert.deepEqual(graph.edges, []);
});

test("what breaks a chain", () => {
  const cut = (attributes: object, partitioner?: Parameters<Program["map"]>[2]): number => {
    const program = new Program();
    program.map(program.map(program.source()), attributes, partitioner);
    return chains(program).length;
  };
  assert.equal(cut({}), 1);
  assert.equal(cut({ parallelism: 2 }), 2);
  assert.equal(cut({ maxParallelism: 256 }), 2);
  assert.equal(cut({ slotSharingGroup: "other" }), 2);
  assert.equal(cut({ chaining: "head" }), 2);
  assert.equal(cut({ chaining: "never" }), 2);
  assert.equal(cut({}, { kind: "rebalance" }), 2);
  assert.equal(cut({}, { kind: "forward" }), 1);
  const program = new Program();
  program.map(program.map(program.source(), { chaining: "never" }));
  assert.deepEqual(chains(program), ["Source: numbers", "Map", "Map"]);
  const switchedOff = new Program();
  switchedOff.map(switchedOff.source());
  assert.equal(chains(switchedOff, { "pipeline.operator-chaining.enabled": false }).length, 2);
});

test("an operator with two input edges is a head, be it a union or a connect", () => {
  for (const second of [0, 1]) {
    const program = new Program();
    const forward = { kind: "forward", implicit: true } as const;
    program.add({ type: "coMap", fn: class {} as never }, "Both", [[program.source("a"), forward, 0], [program.source("b"), forward, second]]);
    assert.equal(chains(program).length, 3);
  }
});

test("slot sharing groups are inherited from inputs that agree", () => {
  const program = new Program();
  const a = program.source("a", "bounded", { slotSharingGroup: "left" });
  const b = program.source("b");
  const map = program.map(a);
  program.add({ type: "coMap", fn: class {} as never }, "Both", [[map, { kind: "rebalance" }, 0], [b, { kind: "rebalance" }, 1]]);
  const groups = Object.fromEntries(translate(program.pipeline(), { jobId }).vertices.map((vertex) => [vertex.name, vertex.slotSharingGroup]));
  assert.deepEqual(groups, { "Source: a -> Map": "left", "Source: b": "default", Both: "default" });
});

test("an edge nobody said anything about is rebalanced between different parallelisms; forward is refused", () => {
  const program = new Program();
  program.map(program.source("numbers", "bounded", { parallelism: 1 }));
  const [edge] = translate(program.pipeline({ "parallelism.default": 3 }), { jobId }).edges;
  assert.equal(edge!.partitioner, "rebalance");
  const explicit = new Program();
  explicit.map(explicit.source("numbers", "bounded", { parallelism: 1 }), {}, { kind: "forward" });
  assert.throws(() => translate(explicit.pipeline({ "parallelism.default": 3 }), { jobId }), { code: "PARALLELISM_INVALID", message: /"numbers" with parallelism 1 cannot forward to "Map" with parallelism 3/ });
});

test("impossible parallelisms are refused, naming the operator", () => {
  const refused = (attributes: object, options: Readonly<Record<string, unknown>> = {}): void => {
    const program = new Program();
    program.map(program.source(), { name: "culprit", ...attributes });
    assert.throws(() => translate(program.pipeline(options), { jobId }), (error: any) => error.code === "PARALLELISM_INVALID" && /"culprit"|"numbers"/.test(error.message));
  };
  refused({ parallelism: 0 });
  refused({ parallelism: Number.NaN });
  refused({ parallelism: 1.5 });
  refused({ parallelism: 5, maxParallelism: 4 });
  refused({ maxParallelism: 32_769 });
  refused({ forceNonParallel: true, parallelism: 2 });
  refused({}, { "parallelism.default": 0 });
});

test("max parallelism: the operator's, else the job's, else Flink's rule", () => {
  const program = new Program();
  program.map(program.source(), { maxParallelism: 64, chaining: "head" });
  const limits = (options: Readonly<Record<string, unknown>>): number[] => translate(program.pipeline(options), { jobId }).vertices.map((vertex) => vertex.maxParallelism);
  assert.deepEqual(limits({}), [128, 64]);
  assert.deepEqual(limits({ "pipeline.max-parallelism": 300 }), [300, 64]);
  program.nodes[1]!.maxParallelism = undefined;
  assert.deepEqual(limits({ "parallelism.default": 172 }), [512, 512]);
});

test("the runtime mode follows the sources, and batch refuses unbounded ones", () => {
  const mode = (boundedness: "bounded" | "continuous-unbounded", setting: string): string => {
    const program = new Program();
    program.map(program.source("events", boundedness));
    return translate(program.pipeline({ "execution.runtime-mode": setting }), { jobId }).runtimeMode;
  };
  assert.equal(mode("bounded", "AUTOMATIC"), "BATCH");
  assert.equal(mode("continuous-unbounded", "AUTOMATIC"), "STREAMING");
  assert.equal(mode("bounded", "STREAMING"), "STREAMING");
  assert.throws(() => mode("continuous-unbounded", "BATCH"), { code: "UNBOUNDED_IN_BATCH", message: /"events"/ });
});

test("in batch mode all-to-all edges are blocking", () => {
  const program = new Program();
  const source = program.source();
  program.map(source, {}, { kind: "rebalance" });
  program.map(source, { chaining: "head" });
  program.keyed(source);
  const exchanges = (mode: string): string[] => translate(program.pipeline({ "execution.runtime-mode": mode }), { jobId }).edges.map((edge) => `${edge.partitioner} ${edge.exchange}`);
  assert.deepEqual(exchanges("BATCH"), ["rebalance blocking", "forward pipelined", "hash blocking"]);
  assert.deepEqual(exchanges("STREAMING"), ["rebalance pipelined", "forward pipelined", "hash pipelined"]);
});

test("side outputs keep their tag inside a chain and between tasks", () => {
  const program = new Program();
  const source = program.source();
  const tag = new OutputTag<string>("late");
  for (const partitioner of [{ kind: "forward", implicit: true }, { kind: "shuffle" }] as const) {
    const node = program.map(source, {}, partitioner);
    Object.assign(node, { inputs: [{ ...node.inputs[0]!, sideOutput: tag }] });
  }
  const graph = translate(program.pipeline(), { jobId });
  assert.equal(graph.vertices[0]!.operators[1]!.chainedTo!.sideOutput, "late");
  assert.equal(graph.edges[0]!.sideOutput, "late");
});

test("inputs are planned before what reads them, whatever the order of the nodes", () => {
  const program = new Program();
  program.sink(program.keyed(program.source()));
  program.nodes.reverse();
  assert.deepEqual(chains(program), ["Source: numbers", "Keyed Reduce -> Sink: out"]);
});

test("an empty program is refused", () => {
  assert.throws(() => translate(new Program().pipeline(), { jobId }), { code: "GRAPH_EMPTY" });
});

test("the plan is plain JSON", () => {
  const program = new Program();
  program.sink(program.keyed(program.map(program.source())));
  const graph = translate(program.pipeline({ "execution.buffer-timeout.interval": "5 ms" }), { jobId, once: { rules: "AA==" } });
  assert.deepEqual(JSON.parse(JSON.stringify(graph)), JSON.parse(JSON.stringify(structuredClone(graph))));
  assert.equal(graph.vertices[0]!.bufferTimeoutMs, 5);
  assert.deepEqual(graph.once, { rules: "AA==" });
});

test("golden plans: the stream plan and the job plan have Flink's shape", () => {
  const program = new Program();
  program.sink(program.keyed(program.map(program.source(), { description: "adds one" }), undefined, { uid: "totals" }));
  const pipeline = program.pipeline({ "parallelism.default": 2 });
  assert.deepEqual(streamPlan(pipeline), {
    nodes: [
      { id: 1, type: "Source: numbers", pact: "Data Source", contents: "Source: numbers", parallelism: 2 },
      { id: 2, type: "Map", pact: "Operator", contents: "adds one", parallelism: 2, predecessors: [{ id: 1, ship_strategy: "FORWARD", side: "second" }] },
      { id: 3, type: "Keyed Reduce", pact: "Operator", contents: "Keyed Reduce", parallelism: 2, predecessors: [{ id: 2, ship_strategy: "HASH", side: "second" }] },
      { id: 4, type: "Sink: out", pact: "Data Sink", contents: "Sink: out", parallelism: 2, predecessors: [{ id: 3, ship_strategy: "FORWARD", side: "second" }] },
    ],
  });
  // These ids name state in checkpoints: they must never change.
  assert.deepEqual(jobPlan(translate(pipeline, { jobId })), {
    jid: jobId, name: "test", type: "STREAMING",
    nodes: [
      { id: "714348b578df197b7a3608e70ad68a1a", parallelism: 2, operator: "", operator_strategy: "", description: "Source: numbers -> adds one", optimizer_properties: {} },
      {
        id: "8eeed16b661251f13cfc6a3c5e75c420", parallelism: 2, operator: "", operator_strategy: "", description: "Keyed Reduce -> Sink: out",
        inputs: [{ num: 0, id: "714348b578df197b7a3608e70ad68a1a", ship_strategy: "HASH", exchange: "pipelined_bounded" }], optimizer_properties: {},
      },
    ],
  });
});
