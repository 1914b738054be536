import { MAX_WATERMARK, MIN_WATERMARK, NO_TIMESTAMP, OutputTag, type Collector, type OperatorContext, type ProcessJoinContext } from "@millrace/core";
import type { OperatorSpec, WindowSpec } from "@millrace/graph";
import type { Emission, Long } from "../../../../../e2e/conformance/typescript/case.js";
import { KeyedOneInputHarness, KeyedTwoInputHarness, OneInputHarness, OperatorHarness, TwoInputHarness } from "@millrace/testkit";
import { createOperator } from "../../../src/operators/operator-registry.js";
import { chooseWindowEngine, createWindowOperator, type WindowEngine } from "../../../src/operators/window/create-window-operator.js";
import { windowParts } from "../../../src/operators/window/window-parts.js";
import { CoCounts, Fraud, KeyedRules, ruleDescriptor, Rules, SideOutputs, sideTags, StateKinds, Timers } from "./conformance-functions.js";
import { caseAssigner, caseCountWindow, caseWindow, eventOf, lateTag, rolling, statistics, sumEvents, type CaseEvent, type Params } from "./conformance-windows.js";

type Element = { readonly t: number; readonly v: CaseEvent } | { readonly w: number } | { readonly p: number } | { readonly idle: boolean };
export interface ConformanceCase {
  readonly name: string;
  readonly pipeline: string;
  readonly params: Params;
  readonly inputs: Readonly<Record<string, readonly Element[]>>;
  readonly order?: readonly string[];
}
export interface CaseResult {
  readonly outputs: Emission[];
  readonly lateDropped: number;
}

const windowPipelines = new Set([
  "tumbling", "sliding", "session", "session-dynamic", "global-window", "count-trigger", "continuous-trigger", "delta-trigger", "purging-trigger", "custom-trigger",
  "timeout-trigger", "evictor-count", "evictor-time", "evictor-delta", "allowed-lateness", "late-side-output", "window-state", "processing-time-window",
]);
const leftLate = new OutputTag<CaseEvent>("left-late");
const rightLate = new OutputTag<CaseEvent>("right-late");
const tags: readonly OutputTag<CaseEvent>[] = [lateTag, sideTags.negative, sideTags.odd, leftLate, rightLate];
const keyOf = (event: CaseEvent): string => event.k;
type Spec = Exclude<OperatorSpec, { readonly type: "source" | "sink" | "map" | "filter" | "flatMap" | "timestamps" }>;

/** The operator of a case, and which of its inputs are keyed; `undefined` for pipelines of several operators. */
function caseOperator({ pipeline, params: p }: ConformanceCase): { readonly spec: Spec; readonly keyed: readonly boolean[] } | undefined {
  const one = (spec: Spec): { spec: Spec; keyed: boolean[] } => ({ spec, keyed: [true] });
  const two = (spec: Spec, ...keyed: boolean[]): { spec: Spec; keyed: boolean[] } => ({ spec, keyed });
  if (windowPipelines.has(pipeline)) return one(caseWindow(p));
  switch (pipeline) {
    case "window-all": return { spec: caseWindow(p, false), keyed: [false] };
    case "count-window": return one(caseCountWindow(p));
    case "count-window-all": return { spec: caseCountWindow(p, false), keyed: [false] };
    case "running": return one({ type: "keyedReduce", fn: rolling(p.fn, p.first) });
    case "timers": case "processing-timers": return one({ type: "keyedProcess", fn: () => new Timers(p.chainStep ?? 10) });
    case "fraud": return one({ type: "keyedProcess", fn: () => new Fraud(p as never) });
    case "state-kinds": return one({ type: "keyedProcess", fn: StateKinds });
    case "side-outputs": return { spec: { type: "process", fn: SideOutputs }, keyed: [false] };
    case "full-window-partition":
      return one({ type: "partitionWindow", keyed: true, ...(p.fn === "reduce" ? { reduce: sumEvents } : { aggregate: statistics }) });
    case "co-map": return two({ type: "coMap", fn: CoMapCase }, false, false);
    case "co-flat-map": return two({ type: "coFlatMap", fn: CoFlatMapCase }, false, false);
    case "co-process": return two({ type: "keyedCoProcess", fn: CoCounts }, true, true);
    case "broadcast": return two({ type: "broadcastProcess", fn: Rules, descriptors: [ruleDescriptor] }, false, false);
    case "broadcast-keyed": return two({ type: "keyedBroadcastProcess", fn: KeyedRules, descriptors: [ruleDescriptor] }, true, false);
    case "window-join": case "co-group": return two(caseJoin(pipeline, p), true, true);
    case "interval-join": return two(caseIntervalJoin(p), true, true);
    default: return undefined;
  }
}

class CoMapCase {
  map1({ id, v }: CaseEvent): object {
    return { in: 1, id, v };
  }
  map2({ id, v }: CaseEvent): object {
    return { in: 2, id, v: v === 0 ? 0 : -v };
  }
}
class CoFlatMapCase {
  flatMap1({ id, v }: CaseEvent, out: Collector<unknown>): undefined {
    for (let i = 0; i < ((v % 4) + 4) % 4; i++) out.collect({ in: 1, id, i });
  }
  flatMap2({ id, v }: CaseEvent, out: Collector<unknown>): undefined {
    if (v % 2 === 0) out.collect({ in: 2, id });
  }
}

function caseJoin(pipeline: string, p: Params): Spec {
  const base = { type: "windowJoin", assigner: unwrapGap(p), allowedLatenessMs: p.allowedLateness ?? 0 } as const;
  if (pipeline === "window-join") return { ...base, join: (left: CaseEvent, right: CaseEvent) => ({ k: left.k, left: left.id, right: right.id }) };
  const ids = (events: readonly CaseEvent[]): number[] => events.map((event) => event.id).sort((a, b) => a - b);
  return {
    ...base,
    coGroup: (left: Iterable<CaseEvent>, right: Iterable<CaseEvent>, out: Collector<unknown>) => {
      const lefts = [...left];
      const rights = [...right];
      out.collect({ k: [...lefts, ...rights][0]!.k, left: ids(lefts), right: ids(rights) });
    },
  };
}
const unwrapGap = (p: Params) => caseAssigner(p.assigner);

function caseIntervalJoin(p: Params): Spec {
  return {
    type: "intervalJoin", lowerBoundMs: p.lower + (p.lowerExclusive === true ? 1 : 0), upperBoundMs: p.upper - (p.upperExclusive === true ? 1 : 0),
    ...(p.sideOutputLate === true ? { lateLeft: leftLate, lateRight: rightLate } : {}),
    fn: () => ({
      processElement: (left: CaseEvent, right: CaseEvent, context: ProcessJoinContext, out: Collector<unknown>) => {
        out.collect({ k: left.k, left: left.id, right: right.id, leftTime: context.leftTimestamp, rightTime: context.rightTimestamp, time: context.timestamp }) as undefined;
      },
    }),
  };
}

/** The engines that can run a case; one entry for operators that are no windows. */
export function enginesOf(test: ConformanceCase): (WindowEngine | undefined)[] {
  const operator = caseOperator(test);
  if (operator === undefined || JSON.stringify(test.inputs).includes('"idle"')) return [];
  if (operator.spec.type !== "window") return [undefined];
  const spec: WindowSpec = operator.spec;
  const chosen = chooseWindowEngine(spec, windowParts(spec, { operatorName: "", operatorId: "" } as OperatorContext, { runtimeMode: "STREAMING", keySelectors: [] }));
  return chosen === "general" ? ["general"] : chosen === "shared" ? ["general", "direct", "shared"] : ["general", chosen];
}

/** Runs a case on one operator in a harness. */
export async function runConformanceCase(test: ConformanceCase, engine: WindowEngine | undefined): Promise<CaseResult> {
  const { spec, keyed } = caseOperator(test)!;
  const keySelectors = keyed.map((isKeyed) => (isKeyed ? keyOf : undefined));
  const info = { runtimeMode: "STREAMING", keySelectors } as const;
  const factory = (context: OperatorContext) => (spec.type === "window" ? createWindowOperator(spec, context, info, engine) : createOperator(spec, context, info));
  const names = Object.keys(test.inputs);
  const harness = await open(spec, factory as never, keyed);
  const outputs: Emission[] = [];
  const sideSeen = new Map<string, number>();
  let seen = 0;
  const record = (step: number): void => {
    for (const element of harness.elements.slice(seen)) {
      if (element.kind === "record") outputs.push({ step, ...timed(element.timestampMs), v: marked(element.value) });
      else if (element.kind === "watermark") outputs.push({ step, w: longOf(element.timestampMs) });
    }
    seen = harness.elements.length;
    for (const tag of tags) {
      const records = harness.sideOutput(tag);
      for (const { value, timestampMs } of records.slice(sideSeen.get(tag.id) ?? 0)) outputs.push({ step, tag: tag.id, ...timed(timestampMs), v: eventOf(value) });
      sideSeen.set(tag.id, records.length);
    }
  };
  const positions = names.map(() => 0);
  const watermarks = names.map(() => MIN_WATERMARK);
  const watermark = (input: number, timestampMs: number): void => {
    if (timestampMs <= watermarks[input]!) return;
    watermarks[input] = timestampMs;
    sendWatermark(harness, input, timestampMs);
  };
  const order = test.order ?? test.inputs[names[0]!]!.map(() => names[0]!);
  order.forEach((name, step) => {
    const input = names.indexOf(name);
    const element = test.inputs[name]![positions[input]++]!;
    if ("v" in element) sendElement(harness, input, element.v, element.t);
    else if ("w" in element) watermark(input, element.w);
    else if ("p" in element) harness.setProcessingTime(element.p);
    record(step);
  });
  names.forEach((_, input) => {
    watermark(input, MAX_WATERMARK);
    record(order.length + input);
  });
  await harness.finish();
  record(order.length + names.length - 1);
  return { outputs, lateDropped: harness.metric("numLateRecordsDropped") ?? 0 };
}

type AnyHarness = OperatorHarness<unknown>;

function open(spec: Spec, factory: never, keyed: readonly boolean[]): Promise<AnyHarness> {
  if (keyed.length === 2) {
    if (!keyed[0]) return TwoInputHarness.open(factory);
    return KeyedTwoInputHarness.open<CaseEvent, CaseEvent, unknown>(factory, { key1: keyOf, ...(keyed[1] ? { key2: keyOf } : {}) });
  }
  // Windows over all records need keyed state; under a constant key they are the same operator.
  if (spec.type === "window" && !spec.keyed) return KeyedOneInputHarness.open<CaseEvent, unknown>(factory, { key: () => 0 });
  return keyed[0] ? KeyedOneInputHarness.open<CaseEvent, unknown>(factory, { key: keyOf }) : OneInputHarness.open(factory);
}

function sendElement(harness: AnyHarness, input: number, value: CaseEvent, timestampMs: number): void {
  if (harness instanceof OneInputHarness) harness.processElement(value, timestampMs);
  else if (input === 0) (harness as TwoInputHarness<unknown, unknown, unknown>).processElement1(value, timestampMs);
  else (harness as TwoInputHarness<unknown, unknown, unknown>).processElement2(value, timestampMs);
}

function sendWatermark(harness: AnyHarness, input: number, timestampMs: number): void {
  if (harness instanceof OneInputHarness) harness.processWatermark(timestampMs);
  else if (input === 0) (harness as TwoInputHarness<unknown, unknown, unknown>).processWatermark1(timestampMs);
  else (harness as TwoInputHarness<unknown, unknown, unknown>).processWatermark2(timestampMs);
}

const longOf = (value: number): Long => (value === MAX_WATERMARK ? "MAX" : value === MIN_WATERMARK ? "MIN" : value);
const timed = (timestampMs: number): object => (timestampMs === NO_TIMESTAMP ? {} : { t: longOf(timestampMs) });

/** Events lose their commands, and the ends of time their numbers. */
function marked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const object = value as Record<string, unknown>;
  const plain: Record<string, unknown> = "a" in object || "b" in object || "c" in object ? { ...eventOf(object as never) } : { ...object };
  if (typeof plain["wm"] === "number") plain["wm"] = longOf(plain["wm"]);
  return plain;
}
