import {
  ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger, CountEvictor, CountTrigger, DeltaEvictor, DeltaTrigger, EventTimeSessionWindows, EventTimeTrigger,
  GlobalWindows, OutputTag, ProcessingTimeoutTrigger, ProcessingTimeSessionWindows, ProcessingTimeTrigger, PurgingTrigger, SlidingEventTimeWindows,
  SlidingProcessingTimeWindows, TimeEvictor, TumblingEventTimeWindows, TumblingProcessingTimeWindows,
  type DataStream, type Evictor, type Trigger, type WindowAssigner,
} from "millrace";
import { eventOutput, mergeEvents, stats, type Event, type Outputs, type Pipeline } from "./case.js";
import { EarlyTrigger } from "./early-trigger.js";
import { CountFirings, ListAll, ListEvents, StatsOf, StatsOfAll, withWindow } from "./window-functions.js";

const late: OutputTag<Event> = new OutputTag<Event>("late");

export function assignerOf(spec: any): WindowAssigner<any, any> {
  switch (spec.type) {
    case "tumbling": return TumblingEventTimeWindows.of(spec.size, spec.offset);
    case "sliding": return SlidingEventTimeWindows.of(spec.size, spec.slide, spec.offset);
    case "session": return EventTimeSessionWindows.withGap(spec.gap);
    case "session-dynamic": return EventTimeSessionWindows.withDynamicGap((event: Event) => event.a);
    case "tumbling-processing": return TumblingProcessingTimeWindows.of(spec.size, spec.offset);
    case "sliding-processing": return SlidingProcessingTimeWindows.of(spec.size, spec.slide, spec.offset);
    case "session-processing": return ProcessingTimeSessionWindows.withGap(spec.gap);
    case "session-dynamic-processing": return ProcessingTimeSessionWindows.withDynamicGap((event: Event) => event.a);
    case "global": return GlobalWindows.create();
    case "global-end-of-stream": return GlobalWindows.createWithEndOfStreamTrigger();
    default: throw new Error(`no assigner is called ${spec.type}`);
  }
}

const distance = (older: Event, newer: Event): number => Math.abs(newer.v - older.v);

function triggerOf(spec: any): Trigger<any, any> {
  switch (spec.type) {
    case "event-time": return EventTimeTrigger.create();
    case "processing-time": return ProcessingTimeTrigger.create();
    case "count": return CountTrigger.of(spec.n);
    case "continuous-event": return ContinuousEventTimeTrigger.of(spec.interval);
    case "continuous-processing": return ContinuousProcessingTimeTrigger.of(spec.interval);
    case "delta": return DeltaTrigger.of<Event>(spec.threshold, distance);
    case "purging": return PurgingTrigger.of(triggerOf(spec.of));
    case "processing-timeout": return ProcessingTimeoutTrigger.of(triggerOf(spec.of), spec.timeout, spec.resetOnNewRecord ?? false, spec.clearOnTimeout ?? true);
    case "early": return new EarlyTrigger(spec.every);
    default: throw new Error(`no trigger is called ${spec.type}`);
  }
}

function evictorOf(spec: any): Evictor<any, any> {
  const after: boolean = spec.after ?? false;
  switch (spec.type) {
    case "count": return CountEvictor.of(spec.n, after);
    case "time": return TimeEvictor.of(spec.keep, after);
    case "delta": return DeltaEvictor.of<Event>(spec.threshold, distance, after);
    default: throw new Error(`no evictor is called ${spec.type}`);
  }
}

interface WindowedBy {
  trigger(trigger: Trigger<any, any>): unknown;
  evictor(evictor: Evictor<any, any>): unknown;
  allowedLateness(ms: number): unknown;
  sideOutputLateData(tag: OutputTag<Event>): unknown;
}

function configure<W extends WindowedBy>(windowed: W, params: any): W {
  if (params.trigger !== undefined) windowed.trigger(triggerOf(params.trigger));
  if (params.evictor !== undefined) windowed.evictor(evictorOf(params.evictor));
  if (params.allowedLateness !== undefined) windowed.allowedLateness(params.allowedLateness);
  if (params.sideOutputLate === true) windowed.sideOutputLateData(late);
  return windowed;
}

function withLate(main: DataStream<any> & { getSideOutput(tag: OutputTag<Event>): DataStream<Event> }, shown: DataStream<any>, params: any): Outputs {
  return params.sideOutputLate === true ? { main: shown, sides: { late: main.getSideOutput(late) } } : { main: shown };
}

const isSession = (params: any): boolean => String(params.assigner?.type).startsWith("session");

/** `in.keyBy(k).window(…)` and the function that the case names. */
function keyedWindow(stream: DataStream<Event>, params: any): Outputs {
  const windowed = configure(stream.keyBy((event) => event.k).window(assignerOf(params.assigner)), params);
  const ascending = isSession(params);
  switch (params.fn) {
    case "reduce": return events(windowed.reduce(mergeEvents), params);
    case "sum": return events(windowed.sum("v"), params);
    case "minBy": return events(windowed.minBy("v"), params);
    case "maxBy": return events(windowed.maxBy("v", false), params);
    case "aggregate": return plain(windowed.aggregate(stats), params);
    case "process": return plain(windowed.process(() => new ListEvents(ascending)), params);
    case "reduce-process": return plain(windowed.reduce(mergeEvents, () => withWindow), params);
    case "aggregate-process": return plain(windowed.aggregate(stats, () => new StatsOf()), params);
    case "count-firings": return plain(windowed.process(() => new CountFirings()), params);
    default: throw new Error(`no window function is called ${params.fn}`);
  }
}

type Operator = DataStream<any> & { getSideOutput(tag: OutputTag<Event>): DataStream<Event> };
const events = (main: Operator, params: any): Outputs => withLate(main, main.map(eventOutput), params);
const plain = (main: Operator, params: any): Outputs => withLate(main, main, params);

function allWindow(stream: DataStream<Event>, params: any): Outputs {
  const windowed = configure(stream.windowAll(assignerOf(params.assigner)), params);
  switch (params.fn) {
    case "reduce": return events(windowed.reduce(mergeEvents), params);
    case "aggregate": return plain(windowed.aggregate(stats), params);
    case "process": return plain(windowed.process(() => new ListAll(isSession(params))), params);
    default: throw new Error(`no function over all records is called ${params.fn}`);
  }
}

const onlyInput: Pipeline = (job, params) => keyedWindow(job.input("in"), params);

const named = [
  "tumbling", "sliding", "session", "session-dynamic", "global-window", "count-trigger", "continuous-trigger", "delta-trigger", "purging-trigger", "custom-trigger",
  "timeout-trigger", "evictor-count", "evictor-time", "evictor-delta", "allowed-lateness", "late-side-output", "window-state", "processing-time-window",
];

export const windowPipelines: Readonly<Record<string, Pipeline>> = {
  ...Object.fromEntries(named.map((name) => [name, onlyInput])),
  "union-window": (job, params) => {
    const [first, ...others] = job.streams;
    return keyedWindow(first!.union(...others), params);
  },
  "window-all": (job, params) => allWindow(job.input("in"), params),
  "count-window": (job, { size, slide, fn }) => {
    const windowed = job.input("in").keyBy((event) => event.k).countWindow(size, slide);
    if (fn === "reduce") return { main: windowed.reduce(mergeEvents).map(eventOutput) };
    return { main: fn === "aggregate" ? windowed.aggregate(stats) : windowed.process(() => new ListEvents(false)) };
  },
  "count-window-all": (job, { size, slide, fn }) => {
    const windowed = job.input("in").countWindowAll(size, slide);
    if (fn === "reduce") return { main: windowed.reduce(mergeEvents).map(eventOutput) };
    return { main: fn === "aggregate" ? windowed.aggregate(stats) : windowed.process(() => new ListAll(false)) };
  },
  "window-cascade": (job, { inner, outer }) => ({
    main: job.input("in").keyBy((event) => event.k).window(TumblingEventTimeWindows.of(inner)).reduce(mergeEvents)
      .windowAll(TumblingEventTimeWindows.of(outer)).aggregate(stats, () => new StatsOfAll()),
  }),
};
