import {
  ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger, CountEvictor, CountTrigger, DeltaEvictor, DeltaTrigger, EventTimeSessionWindows, EventTimeTrigger,
  GlobalWindows, OutputTag, ProcessingTimeoutTrigger, ProcessingTimeSessionWindows, ProcessingTimeTrigger, PurgingTrigger, ReducingStateDescriptor,
  SlidingEventTimeWindows, SlidingProcessingTimeWindows, TimeEvictor, TumblingEventTimeWindows, TumblingProcessingTimeWindows, ValueStateDescriptor,
  type AggregateFunction, type Collector, type Evictor, type ProcessWindowContext, type ProcessWindowFunction, type ReduceFn, type Trigger, type WindowAssigner,
} from "@millrace/core";
import type { WindowSpec } from "@millrace/graph";

/** An event of a conformance case. */
export interface CaseEvent {
  readonly id: number;
  readonly k: string;
  readonly v: number;
  readonly c?: string;
  readonly a?: number;
  readonly b?: number;
}
/** Parameters of a case, as parsed from its JSON. */
export type Params = Readonly<Record<string, any>>;

export const lateTag = new OutputTag<CaseEvent>("late");
export const eventOf = ({ id, k, v }: CaseEvent): CaseEvent => ({ id, k, v });
export const sumEvents: ReduceFn<CaseEvent> = (a, b) => ({ id: Math.min(a.id, b.id), k: a.k, v: a.v + b.v });

interface Statistics {
  n: number;
  sum: number;
  min: number;
  max: number;
}
export const statistics: AggregateFunction<{ readonly v: number }, Statistics, Statistics> = {
  createAccumulator: () => ({ n: 0, sum: 0, min: Number.MAX_VALUE, max: -Number.MAX_VALUE }),
  add: ({ v }, a) => ({ n: a.n + 1, sum: a.sum + v, min: Math.min(a.min, v), max: Math.max(a.max, v) }),
  getResult: (a) => ({ ...a }),
  merge: (a, b) => ({ n: a.n + b.n, sum: a.sum + b.sum, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }),
};

/** Rolling functions by the names of the cases. */
export function rolling(fn: string, first = true): ReduceFn<CaseEvent> {
  const reduces: Record<string, ReduceFn<CaseEvent>> = {
    reduce: sumEvents,
    sum: (a, b) => ({ ...a, v: a.v + b.v }),
    min: (a, b) => ({ ...a, v: Math.min(a.v, b.v) }),
    max: (a, b) => ({ ...a, v: Math.max(a.v, b.v) }),
    minBy: (a, b) => (b.v < a.v || (b.v === a.v && !first) ? b : a),
    maxBy: (a, b) => (b.v > a.v || (b.v === a.v && !first) ? b : a),
  };
  return reduces[fn]!;
}

const distance = (a: CaseEvent, b: CaseEvent): number => Math.abs(b.v - a.v);

export function caseAssigner(p: Params): WindowAssigner<any, any> {
  switch (p.type as string) {
    case "tumbling": return TumblingEventTimeWindows.of(p.size, p.offset ?? 0);
    case "sliding": return SlidingEventTimeWindows.of(p.size, p.slide, p.offset ?? 0);
    case "session": return EventTimeSessionWindows.withGap(p.gap);
    case "session-dynamic": return EventTimeSessionWindows.withDynamicGap((event: CaseEvent) => event.a!);
    case "global": return GlobalWindows.create();
    case "global-end-of-stream": return GlobalWindows.createWithEndOfStreamTrigger();
    case "tumbling-processing": return TumblingProcessingTimeWindows.of(p.size, p.offset ?? 0);
    case "sliding-processing": return SlidingProcessingTimeWindows.of(p.size, p.slide, p.offset ?? 0);
    case "session-processing": return ProcessingTimeSessionWindows.withGap(p.gap);
    case "session-dynamic-processing": return ProcessingTimeSessionWindows.withDynamicGap((event: CaseEvent) => event.a!);
    default: throw new Error(`assigner ${p.type}`);
  }
}

/** The custom trigger of the cases: early firings every so many records. */
function earlyTrigger(every: number): Trigger<CaseEvent, any> {
  const descriptor = new ReducingStateDescriptor<number>("count", (a, b) => a + b);
  return {
    onElement: (_value, _time, window, context) => {
      if (window.maxTimestampMs <= context.currentWatermark) return "FIRE";
      context.registerEventTimeTimer(window.maxTimestampMs);
      const count = context.getPartitionedState(descriptor);
      count.add(1);
      if (count.get()! < every) return "CONTINUE";
      count.clear();
      return "FIRE";
    },
    onEventTime: (time, window) => (time === window.maxTimestampMs ? "FIRE" : "CONTINUE"),
    onProcessingTime: () => "CONTINUE",
    onMerge: (window, context) => {
      context.mergePartitionedState(descriptor);
      if (window.maxTimestampMs > context.currentWatermark) context.registerEventTimeTimer(window.maxTimestampMs);
    },
    clear: (window, context) => {
      context.deleteEventTimeTimer(window.maxTimestampMs);
      context.getPartitionedState(descriptor).clear();
    },
  };
}

function caseTrigger(p: Params): Trigger<any, any> {
  switch (p.type as string) {
    case "event-time": return EventTimeTrigger.create();
    case "processing-time": return ProcessingTimeTrigger.create();
    case "count": return CountTrigger.of(p.n);
    case "continuous-event": return ContinuousEventTimeTrigger.of(p.interval);
    case "continuous-processing": return ContinuousProcessingTimeTrigger.of(p.interval);
    case "delta": return DeltaTrigger.of(p.threshold, distance);
    case "purging": return PurgingTrigger.of(caseTrigger(p.of));
    case "processing-timeout": return ProcessingTimeoutTrigger.of(caseTrigger(p.of), p.timeout, p.resetOnNewRecord ?? false, p.clearOnTimeout ?? true);
    case "early": return earlyTrigger(p.every);
    default: throw new Error(`trigger ${p.type}`);
  }
}

function caseEvictor(p: Params): Evictor<any, any> {
  switch (p.type as string) {
    case "count": return CountEvictor.of(p.n, p.after ?? false);
    case "time": return TimeEvictor.of(p.keep, p.after ?? false);
    case "delta": return DeltaEvictor.of(p.threshold, distance, p.after ?? false);
    default: throw new Error(`evictor ${p.type}`);
  }
}

const bounds = (window: { readonly startMs?: number; readonly endMs?: number }): object =>
  window.startMs === undefined ? {} : { start: window.startMs, end: window.endMs };

type Context = ProcessWindowContext<any>;

class CountFirings implements ProcessWindowFunction<CaseEvent, unknown, string, any> {
  readonly descriptor = new ValueStateDescriptor<number>("firings");
  process(k: string, context: Context, elements: Iterable<CaseEvent>, out: Collector<unknown>): undefined {
    const ofWindow = context.windowState.getState(this.descriptor);
    const ofKey = context.globalState.getState(this.descriptor);
    ofWindow.update((ofWindow.value() ?? 0) + 1);
    ofKey.update((ofKey.value() ?? 0) + 1);
    out.collect({ k, ...bounds(context.window), n: [...elements].length, ofWindow: ofWindow.value(), ofKey: ofKey.value() });
  }
  clear(context: Context): undefined {
    context.windowState.getState(this.descriptor).clear();
  }
}

type WindowBody = (k: string, context: Context, elements: readonly any[]) => unknown;

function functions(p: Params, all: boolean): Pick<WindowSpec, "reduce" | "aggregate" | "fn"> {
  const fn: string = p.fn;
  const sessions = String(p.assigner?.type).startsWith("session");
  const process = (body: WindowBody): Pick<WindowSpec, "fn"> => ({
    fn: {
      kind: "process",
      fn: () => ({ process: (k: string, context: Context, elements: Iterable<unknown>, out: Collector<unknown>) => out.collect(body(k, context, [...elements])) as undefined }),
    },
  });
  const keyAnd = (k: string): object => (all ? {} : { k });
  const watermark = (context: Context): object => (all ? {} : { wm: context.currentWatermark });
  switch (fn) {
    case "reduce": return { reduce: sumEvents };
    case "sum": return { reduce: rolling("sum") };
    case "minBy": return { reduce: rolling("minBy") };
    case "maxBy": return { reduce: rolling("maxBy", false) };
    case "aggregate": return { aggregate: statistics };
    case "aggregate-process":
      return { aggregate: statistics, ...process((k, context, [a]) => ({ k, ...bounds(context.window), ...(a as Statistics) })) };
    case "reduce-process":
      return { reduce: sumEvents, ...process((k, context, [e]) => ({ k, ...bounds(context.window), id: e.id, v: e.v, wm: context.currentWatermark })) };
    case "count-firings": return { fn: { kind: "process", fn: CountFirings } };
    case "process":
      return process((k, context, elements: readonly CaseEvent[]) => {
        const ids = elements.map((e) => e.id);
        if (sessions) ids.sort((a, b) => a - b);
        return { ...keyAnd(k), ...bounds(context.window), n: ids.length, sum: elements.reduce((sum, e) => sum + e.v, 0), ids, ...watermark(context) };
      });
    default: throw new Error(`fn ${fn}`);
  }
}

/** The window job of a case. */
export function caseWindow(p: Params, keyed = true): WindowSpec {
  return {
    type: "window", keyed, assigner: caseAssigner(p.assigner), allowedLatenessMs: p.allowedLateness ?? 0,
    ...(p.trigger === undefined ? {} : { trigger: caseTrigger(p.trigger) }),
    ...(p.evictor === undefined ? {} : { evictor: caseEvictor(p.evictor) }),
    ...(p.sideOutputLate === true ? { lateTag } : {}),
    ...functions(p, !keyed),
  };
}

export function caseCountWindow(p: Params, keyed = true): WindowSpec {
  const sliding = p.slide !== undefined;
  return {
    type: "window", keyed, assigner: GlobalWindows.create(), allowedLatenessMs: 0,
    trigger: sliding ? CountTrigger.of(p.slide) : PurgingTrigger.of(CountTrigger.of(p.size)),
    ...(sliding ? { evictor: CountEvictor.of(p.size) } : {}),
    ...functions(p, !keyed),
  };
}
