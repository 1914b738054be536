import fc from "fast-check";
import { OutputTag, WatermarkStrategy, type Collector, type OneInputOperator, type Output } from "@millrace/core";
import type { OperatorSpec, Partitioner, StreamNode } from "@millrace/graph";
import { arraySink } from "../support/collect-sink.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";

/** One operator of a random job: what it does, which earlier one it reads, and over what edge. */
export interface RandomStep {
  readonly kind: "map" | "filter" | "flatMap" | "flatMapReturning" | "timestamps" | "side" | "reduce" | "passThrough";
  readonly reads: number;
  readonly edge: "chain" | "rebalance" | "rescale" | "hash" | "broadcast" | "global" | "custom";
  readonly fromSide: boolean;
  readonly factor: number;
}

export const randomSteps = fc.array(
  fc.record<RandomStep>({
    kind: fc.constantFrom("map", "filter", "flatMap", "flatMapReturning", "timestamps", "side", "reduce", "passThrough"),
    reads: fc.nat(100),
    edge: fc.constantFrom("chain", "chain", "chain", "rebalance", "rescale", "hash", "broadcast", "global", "custom"),
    fromSide: fc.boolean(),
    factor: fc.integer({ min: 2, max: 5 }),
  }),
  { minLength: 1, maxLength: 7 },
);

const tag = new OutputTag<number>("odd");

/** Splits numbers: odd ones go to the side output. */
class Splitter implements OneInputOperator<number, number> {
  processRecord(value: number, timestampMs: number, out: Output<number>): void {
    if (value % 2 === 0) out.collect(value, timestampMs);
    else out.sideOutput(tag, value, timestampMs);
  }
}

/** Has only `processBatch` worth calling. */
class PassThrough implements OneInputOperator<number, number> {
  processRecord(value: number, timestampMs: number, out: Output<number>): void {
    out.collect(value, timestampMs);
  }
  processBatch(batch: { readonly values: number[]; readonly timestampsMs: Float64Array }, from: number, to: number, out: Output<number>): void {
    for (let i = from; i < to; i++) out.collect(batch.values[i]!, batch.timestampsMs[i]!);
  }
}

function specOf({ kind, factor }: RandomStep): OperatorSpec {
  switch (kind) {
    case "map":
      return { type: "map", fn: (value: number) => value * factor + 1 };
    case "filter":
      return { type: "filter", fn: (value: number) => value % factor !== 0 };
    case "flatMap":
      return {
        type: "flatMap",
        fn: (value: number, out: Collector<number>) => {
          for (let i = 0; i < value % 3; i++) out.collect(value + i, i === 1 ? value : undefined);
        },
      };
    case "flatMapReturning":
      return {
        type: "flatMap",
        fn: (value: number, out: Collector<number>) => {
          if (value % factor === 0) out.collect(-value);
          if (value % 3 === 0) return [value, value + 1];
          return value % 3 === 1 ? new Set([value, -1]) : undefined;
        },
      };
    case "timestamps":
      return { type: "timestamps", watermarks: stampedBy(factor) };
    case "reduce":
      return { type: "keyedReduce", fn: (a: number, b: number) => (a + b) % 1_000_003 };
    case "side":
      return { type: "custom", inputs: 1, factory: (): OneInputOperator<number, number> => new Splitter() };
    case "passThrough":
      return { type: "custom", inputs: 1, factory: (): OneInputOperator<number, number> => new PassThrough() };
  }
}

function stampedBy(factor: number): WatermarkStrategy<number> {
  return WatermarkStrategy.forGenerator<number>(() => ({
    onEvent: (value, timestampMs, output) => {
      if (value % 5 === 0) output.emitWatermark(timestampMs - 1);
    },
    onPeriodicEmit: () => undefined,
  })).withTimestampAssigner((value) => Math.abs(value) * factor);
}

/** Sees watermarks and time stamps, too. */
export class Recorder implements OneInputOperator<number, never> {
  readonly #log: string[];
  constructor(log: string[]) {
    this.#log = log;
  }
  processRecord(value: number, timestampMs: number): void {
    this.#log.push(`${value}@${timestampMs}`);
  }
  processWatermark(timestampMs: number): void {
    this.#log.push(`watermark ${timestampMs}`);
  }
}

/** Builds the job; every operator's output ends in a recorder or a sink of its own. @returns logs by operator. */
export function buildRandomJob(steps: readonly RandomStep[], parallelism: number, config: Record<string, unknown>, chunk: (poll: number) => number) {
  const builder = new GraphBuilder({ "execution.buffer-timeout.interval": 1, ...config });
  const values = Array.from({ length: 300 }, (_, i) => (i * 7919) % 1009);
  const half = values.length / 2;
  const splits = parallelism === 1 ? [values] : [values.slice(0, half), values.slice(half)];
  const nodes: StreamNode[] = [builder.add(listSource({ splits, timestampOf: (value: number) => value, chunk }), [], { parallelism })];
  for (const step of steps) {
    const from = nodes[step.reads % nodes.length]!;
    const key = (value: number): string => `k${value % 11}`;
    const keyed = step.kind === "reduce" || step.edge === "hash";
    const partitioner: Partitioner | undefined =
      keyed ? { kind: "hash", keySelector: key }
      : step.edge === "chain" ? undefined
      : step.edge === "custom" ? { kind: "custom", keySelector: key, partition: (k: string, n: number) => k.length % n }
      : { kind: step.edge as "rebalance" };
    const sideOutput = step.fromSide && from.spec.type === "custom" ? tag : undefined;
    nodes.push(builder.add(specOf(step), [{ from, ...(keyed ? { keySelector: key } : {}), ...(partitioner === undefined ? {} : { partitioner }), ...(sideOutput === undefined ? {} : { sideOutput }) }], { parallelism }));
  }
  const logs = nodes.map((node, i) => {
    const log: string[] = [];
    if (i % 2 === 0) builder.add({ type: "custom", inputs: 1, factory: () => new Recorder(log) }, [{ from: node }], { parallelism });
    else builder.add(arraySink(log), [{ from: node }], { parallelism });
    return log;
  });
  return { builder, logs };
}
