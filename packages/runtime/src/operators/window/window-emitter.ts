import {
  MillraceError,
  type Collector, type KeyedStateStore, type OperatorContext, type Output, type OutputTag, type ProcessAllWindowFunction, type ProcessWindowContext,
  type ProcessWindowFunction, type Window, type WindowFn,
} from "@millrace/core";
import type { WindowFunctionSpec } from "@millrace/graph";
import { TimestampedCollector } from "../timestamped-collector.js";
import { instantiate, refusePromise } from "../user-function.js";
import { refusedWindowState, WindowStateStore } from "./window-state-store.js";

/** Reads the operator's watermark. */
export type CurrentWatermark = () => number;

class WindowContext implements ProcessWindowContext<Window> {
  window!: Window;
  out!: Output<unknown>;
  readonly windowState: KeyedStateStore;
  readonly globalState: KeyedStateStore;
  readonly #context: OperatorContext;
  readonly #currentWatermark: CurrentWatermark;

  constructor(context: OperatorContext, windowState: KeyedStateStore, globalState: KeyedStateStore, currentWatermark: CurrentWatermark) {
    this.#context = context;
    this.windowState = windowState;
    this.globalState = globalState;
    this.#currentWatermark = currentWatermark;
  }
  get currentProcessingTime(): number {
    return this.#context.processingTime.nowMs();
  }
  get currentWatermark(): number {
    return this.#currentWatermark();
  }
  output<X>(tag: OutputTag<X>, value: X): void {
    this.out.sideOutput(tag, value, this.window.maxTimestampMs);
  }
}

/** Runs a window's function over its contents; results carry the window's last time stamp. Expects the current key to be the window's. */
export abstract class WindowEmitter {
  /** The instance whose life cycle the operator keeps. */
  readonly rich: object | undefined;
  /** Whether {@link clear} does anything: then it must be called when a window goes. */
  readonly clears: boolean;
  /** Whether results are the values themselves: then the operator may emit them without calling this. */
  readonly isValue: boolean = false;
  protected readonly collector: TimestampedCollector = new TimestampedCollector();

  constructor(rich: object | undefined) {
    this.rich = rich;
    this.clears = typeof (rich as { clear?: unknown } | undefined)?.clear === "function";
  }

  /** Must be called before the first record, when keyed state can be opened. */
  open(_context: OperatorContext, _merging: boolean, _currentWatermark: CurrentWatermark): void {}

  abstract emit(key: unknown, window: Window, windowId: string, elements: Iterable<unknown>, out: Output<unknown>): void;

  /** The contents are one aggregated value. */
  emitOne(key: unknown, window: Window, windowId: string, value: unknown, out: Output<unknown>): void {
    this.emit(key, window, windowId, [value], out);
  }

  clear(_window: Window, _windowId: string, _out: Output<unknown>): void {}
}

/** No function: the aggregated value is the result. */
class ValueEmitter extends WindowEmitter {
  override readonly isValue = true;
  emit(_key: unknown, window: Window, _windowId: string, elements: Iterable<unknown>, out: Output<unknown>): void {
    for (const value of elements) out.collect(value, window.maxTimestampMs);
  }
  override emitOne(_key: unknown, window: Window, _windowId: string, value: unknown, out: Output<unknown>): void {
    out.collect(value, window.maxTimestampMs);
  }
}

class PlainEmitter extends WindowEmitter {
  readonly #fn: WindowFn<unknown, unknown, unknown, Window>;
  readonly #operatorName: string;

  constructor(fn: WindowFn<unknown, unknown, unknown, Window>, operatorName: string) {
    super(undefined);
    this.#fn = fn;
    this.#operatorName = operatorName;
  }
  emit(key: unknown, window: Window, _windowId: string, elements: Iterable<unknown>, out: Output<unknown>): void {
    const result: unknown = this.#fn(key, window, elements, this.collector.at(window.maxTimestampMs, out));
    if (result !== undefined) refusePromise(result, this.#operatorName);
  }
}

type ProcessBody = (key: unknown, context: ProcessWindowContext<Window>, elements: Iterable<unknown>, out: Collector<unknown>) => unknown;

class ProcessEmitter extends WindowEmitter {
  readonly #process: ProcessBody;
  readonly #clear: ((context: ProcessWindowContext<Window>) => unknown) | undefined;
  readonly #operatorName: string;
  #windowContext: WindowContext | undefined;
  #windowState: WindowStateStore | undefined;

  constructor(rich: object, process: ProcessBody, operatorName: string) {
    super(rich);
    const { clear } = rich as ProcessWindowFunction<unknown, unknown, unknown, Window>;
    this.#process = process;
    this.#clear = clear === undefined ? undefined : (context) => clear.call(rich, context);
    this.#operatorName = operatorName;
  }

  override open(context: OperatorContext, merging: boolean, currentWatermark: CurrentWatermark): void {
    this.#windowState = merging ? undefined : new WindowStateStore(context.keyedState, "window-state");
    this.#windowContext = new WindowContext(context, this.#windowState ?? refusedWindowState, context.keyedState, currentWatermark);
  }

  emit(key: unknown, window: Window, windowId: string, elements: Iterable<unknown>, out: Output<unknown>): void {
    const result = this.#process(key, this.#at(window, windowId, out), elements, this.collector.at(window.maxTimestampMs, out));
    if (result !== undefined) refusePromise(result, this.#operatorName);
  }

  override clear(window: Window, windowId: string, out: Output<unknown>): void {
    this.#clear?.(this.#at(window, windowId, out));
  }

  #at(window: Window, windowId: string, out: Output<unknown>): WindowContext {
    const context = this.#windowContext!;
    context.window = window;
    context.out = out;
    if (this.#windowState !== undefined) this.#windowState.namespace = windowId;
    return context;
  }
}

/** Makes the emitter of a window function; without a function `aggregated` must hold. @throws `WINDOW_FUNCTION_MISSING` */
export function createWindowEmitter(spec: WindowFunctionSpec | undefined, aggregated: boolean, operatorName: string): WindowEmitter {
  if (spec === undefined) {
    if (aggregated) return new ValueEmitter(undefined);
    throw new MillraceError({
      code: "WINDOW_FUNCTION_MISSING",
      message: `window operator "${operatorName}" has neither a reduce or aggregate function nor a window function`,
      hint: "call reduce, aggregate, process or apply on the windowed stream",
      location: { operator: operatorName },
    });
  }
  if (spec.kind === "plain") return new PlainEmitter(spec.fn, operatorName);
  if (spec.kind === "process") {
    const fn = instantiate<ProcessWindowFunction<unknown, unknown, unknown, Window>>(spec.fn, operatorName, ["process"]);
    return new ProcessEmitter(fn, (key, context, elements, out) => fn.process(key, context, elements, out), operatorName);
  }
  const fn = instantiate<ProcessAllWindowFunction<unknown, unknown, Window>>(spec.fn, operatorName, ["process"]);
  return new ProcessEmitter(fn, (_key, context, elements, out) => fn.process(context, elements, out), operatorName);
}
