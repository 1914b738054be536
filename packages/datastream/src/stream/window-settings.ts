import {
  duration, functionFactory, isFunctionFactory, MillraceError, type AggregateFunction, type Collector, type DurationLike, type Evictor, type KeySelector, type OutputTag, type ReduceFn, type Trigger, type Window,
  type WindowAssigner, type WindowAssignerContext, type WindowFn,
} from "@millrace/core";
import type { WindowFunctionSpec, WindowSpec } from "@millrace/graph";
import { checkFunctionSource, checkPlainFunction, instantiate, isClass } from "../functions/user-function.js";
import { SingleOutputStreamOperator, type DataStream } from "./data-stream.js";

/** A window assigner for records of type `T`, written so that the compiler takes `W` from the windows it assigns and from nowhere else. */
export type AssignerOf<T, W extends Window> = WindowAssigner<T, any> & { assignWindows(value: T, timestampMs: number, context: WindowAssignerContext): readonly W[] };

/** What the window streams share: the settings collected so far, and the operator made of them. */
export class WindowSettings<T, W extends Window> {
  readonly assigner: WindowAssigner<T, W>;
  trigger: Trigger<T, W> | undefined;
  evictor: Evictor<T, W> | undefined;
  allowedLatenessMs: number = 0;
  lateTag: OutputTag<T> | undefined;

  /** @throws `WINDOW_ASSIGNER_INVALID` */
  constructor(assigner: WindowAssigner<T, W>) {
    if (typeof assigner?.assignWindows !== "function") {
      throw new MillraceError({ code: "WINDOW_ASSIGNER_INVALID", message: "window() was given something that is not a window assigner", hint: 'pass one such as TumblingEventTimeWindows.of("10 s")' });
    }
    this.assigner = assigner;
  }

  /** @throws `TRIGGER_CANNOT_MERGE` for a trigger without `onMerge` on merging windows */
  setTrigger(trigger: Trigger<any, any>): void {
    if (typeof trigger?.onElement !== "function") throw new MillraceError({ code: "TRIGGER_INVALID", message: "trigger() was given something that is not a trigger", hint: "pass one such as CountTrigger.of(10)" });
    if (this.assigner.mergeWindows !== undefined && trigger.onMerge === undefined) {
      throw new MillraceError({ code: "TRIGGER_CANNOT_MERGE", message: "session windows merge, and this trigger cannot", hint: "give the trigger an onMerge method, or use windows that do not merge" });
    }
    this.trigger = trigger;
  }

  /** @throws `EVICTOR_INVALID` */
  setEvictor(evictor: Evictor<any, any>): void {
    if (typeof evictor?.evictBefore !== "function") throw new MillraceError({ code: "EVICTOR_INVALID", message: "evictor() was given something that is not an evictor", hint: "pass one such as CountEvictor.of(10)" });
    this.evictor = evictor;
  }

  setAllowedLateness(lateness: DurationLike): void {
    this.allowedLatenessMs = duration(lateness);
  }

  spec(keyed: boolean, result: Pick<WindowSpec, "reduce" | "aggregate" | "fn">): WindowSpec {
    if (this.assigner.mergeWindows !== undefined && result.aggregate !== undefined && result.aggregate.merge === undefined) {
      throw new MillraceError({ code: "AGGREGATE_MERGE_MISSING", message: "session windows merge, and this aggregate function has no merge method", hint: "add merge(a, b) to it" });
    }
    return {
      type: "window",
      keyed,
      assigner: this.assigner,
      ...(this.trigger === undefined ? {} : { trigger: this.trigger }),
      ...(this.evictor === undefined ? {} : { evictor: this.evictor }),
      allowedLatenessMs: this.allowedLatenessMs,
      ...(this.lateTag === undefined ? {} : { lateTag: this.lateTag }),
      // An evictor works on single records, so the window keeps them and aggregates what is left at each firing.
      ...(this.evictor === undefined ? result : withoutIncremental(result)),
    };
  }

  build<R>(stream: DataStream<T>, keySelector: KeySelector<T, any> | undefined, name: string, result: Pick<WindowSpec, "reduce" | "aggregate" | "fn">): SingleOutputStreamOperator<R> {
    const { environment } = stream;
    const keyed = keySelector !== undefined;
    const node = environment.addOperator({
      spec: this.spec(keyed, result),
      name,
      inputs: [stream.inputs],
      keySelectors: keyed ? [keySelector] : [],
      ...(keyed ? {} : { forceNonParallel: true, parallelism: 1 }),
    });
    return new SingleOutputStreamOperator<R>(environment, node);
  }
}

/** The function that sees a whole window, as the user gave it: a class or factory with `process`, or a plain function. */
export function windowFunctionSpec(fn: unknown, kind: "process" | "processAll", method: string): WindowFunctionSpec {
  if (typeof fn === "function" && !isClass(fn) && !isFunctionFactory(fn) && fn.length > 0) {
    checkPlainFunction(fn, method);
    return kind === "process" ? { kind: "plain", fn: fn as WindowFn<any, any, any, any> } : allWindowFunctionSpec(fn as AllWindowFn<any, any, any>);
  }
  checkFunctionSource(fn, method);
  return { kind, fn: fn as any };
}

/** The plain-function form of a function over all records of a window. */
export type AllWindowFn<IN, OUT, W> = (window: W, elements: Iterable<IN>, out: Collector<OUT>) => void | undefined;

export function allWindowFunctionSpec(fn: AllWindowFn<any, any, any>): WindowFunctionSpec {
  return { kind: "plain", fn: (_key, window, elements, out) => fn(window, elements, out), functions: [fn] };
}

/** The same result computed from the records of a firing instead of one by one. */
function withoutIncremental(result: Pick<WindowSpec, "reduce" | "aggregate" | "fn">): Pick<WindowSpec, "fn"> {
  const { reduce, aggregate, fn } = result;
  const fold = reduce !== undefined ? foldReduce(reduce) : aggregate !== undefined ? foldAggregate(aggregate) : undefined;
  if (fold === undefined) return fn === undefined ? {} : { fn };
  if (fn === undefined) {
    return {
      fn: {
        kind: "plain",
        functions: [reduce ?? aggregate],
        fn: (_key, _window, elements, out) => {
          for (const value of fold(elements)) out.collect(value);
        },
      },
    };
  }
  return { fn: withFold(fn, fold, reduce ?? aggregate) };
}

type Fold = (elements: Iterable<any>) => any[];

function withFold(spec: WindowFunctionSpec, fold: Fold, incremental: unknown): WindowFunctionSpec {
  const functions = [spec.fn, incremental, ...(spec.functions ?? [])];
  if (spec.kind === "plain") {
    const { fn } = spec;
    return { kind: "plain", functions, fn: (key, window, elements, out) => fn(key, window, fold(elements), out) };
  }
  if (spec.kind === "process") {
    return {
      kind: "process",
      functions,
      fn: functionFactory(() => {
        const instance = instantiate(spec.fn);
        const whole = instance.process;
        instance.process = (key, context, elements, out) => whole.call(instance, key, context, fold(elements), out);
        return instance;
      }),
    };
  }
  return {
    kind: "processAll",
    functions,
    fn: functionFactory(() => {
      const instance = instantiate(spec.fn);
      const whole = instance.process;
      instance.process = (context, elements, out) => whole.call(instance, context, fold(elements), out);
      return instance;
    }),
  };
}

function foldReduce(reduce: ReduceFn<any>): Fold {
  return (elements) => {
    let result: any[] = [];
    for (const value of elements) result = result.length === 0 ? [value] : [reduce(result[0], value)];
    return result;
  };
}

function foldAggregate(aggregate: AggregateFunction<any, any, any>): Fold {
  return (elements) => {
    let accumulator = aggregate.createAccumulator();
    for (const value of elements) accumulator = aggregate.add(value, accumulator);
    return [aggregate.getResult(accumulator)];
  };
}
