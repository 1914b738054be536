import type { Collector } from "../record/collector.js";
import type { OutputTag } from "../record/output-tag.js";
import type { BroadcastState, KeyedState, ReadOnlyBroadcastState } from "../state/state.js";
import type { MapStateDescriptor, StateDescriptor } from "../state/descriptors.js";
import type { KeyedStateStore } from "../state/keyed-state-store.js";
import type { RichFunction } from "./rich-function.js";

/** Which of the two times a timer runs on. */
export type TimeDomain = "event-time" | "processing-time";

/**
 * Time as a process function sees it. Timers are per key, coalesced per key and time stamp, part of the state, and fire in time order.
 * Registering or deleting one outside a keyed stream is `TIMER_NOT_KEYED`.
 */
export interface TimerService {
  currentProcessingTime(): number;
  /** `MIN_WATERMARK` before the first watermark. */
  currentWatermark(): number;
  registerEventTimeTimer(timestampMs: number): void;
  registerProcessingTimeTimer(timestampMs: number): void;
  deleteEventTimeTimer(timestampMs: number): void;
  deleteProcessingTimeTimer(timestampMs: number): void;
}

/** What a process function can ask about the record it was called for. Only valid during the call. */
export interface ProcessContext {
  /** Time stamp of the record or timer; `undefined` for a record that has none. */
  readonly timestamp: number | undefined;
  readonly timerService: TimerService;
  output<X>(tag: OutputTag<X>, value: X): void;
}
/** {@link ProcessContext} of a keyed stream. */
export interface KeyedProcessContext<K> extends ProcessContext {
  readonly currentKey: K;
}
/** What `onTimer` can ask: the key the timer was registered for, and on which time. */
export interface OnTimerContext<K> extends KeyedProcessContext<K> {
  readonly timeDomain: TimeDomain;
}

/** Any number of results per record, with its time and side outputs. Flink: ProcessFunction. */
export interface ProcessFunction<T, R> extends RichFunction {
  processElement(value: T, context: ProcessContext, out: Collector<R>): void | undefined;
}
/** A {@link ProcessFunction} with state and timers of the record's key. Flink: KeyedProcessFunction. */
export interface KeyedProcessFunction<K, T, R> extends RichFunction {
  processElement(value: T, context: KeyedProcessContext<K>, out: Collector<R>): void | undefined;
  onTimer?(timestampMs: number, context: OnTimerContext<K>, out: Collector<R>): void | undefined;
}
/** A {@link ProcessFunction} of two inputs. Which of them is read first is not defined. Flink: CoProcessFunction. */
export interface CoProcessFunction<A, B, R> extends RichFunction {
  processElement1(value: A, context: ProcessContext, out: Collector<R>): void | undefined;
  processElement2(value: B, context: ProcessContext, out: Collector<R>): void | undefined;
}
/** A {@link CoProcessFunction} whose inputs share state and timers per key. Flink: KeyedCoProcessFunction. */
export interface KeyedCoProcessFunction<K, A, B, R> extends RichFunction {
  processElement1(value: A, context: KeyedProcessContext<K>, out: Collector<R>): void | undefined;
  processElement2(value: B, context: KeyedProcessContext<K>, out: Collector<R>): void | undefined;
  onTimer?(timestampMs: number, context: OnTimerContext<K>, out: Collector<R>): void | undefined;
}
/** {@link ProcessContext} of a pair: its time is the later of the two. */
export interface ProcessJoinContext extends ProcessContext {
  readonly leftTimestamp: number;
  readonly rightTimestamp: number;
}
/** Called for each pair of an interval join. */
export interface ProcessJoinFunction<A, B, R> extends RichFunction {
  processElement(left: A, right: B, context: ProcessJoinContext, out: Collector<R>): void | undefined;
}

/** {@link ProcessContext} with broadcast state to read. */
export interface ReadOnlyBroadcastContext extends ProcessContext {
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): ReadOnlyBroadcastState<K, V>;
}
/** {@link ProcessContext} of a broadcast record, with broadcast state to change. */
export interface BroadcastContext extends ProcessContext {
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V>;
}
/** Records of a stream beside a broadcast one, whose records every subtask sees. Flink: BroadcastProcessFunction. */
export interface BroadcastProcessFunction<T, B, R> extends RichFunction {
  processElement(value: T, context: ReadOnlyBroadcastContext, out: Collector<R>): void | undefined;
  /** Must do the same on every subtask: only here may broadcast state change. */
  processBroadcastElement(value: B, context: BroadcastContext, out: Collector<R>): void | undefined;
}
/** {@link ReadOnlyBroadcastContext} of a keyed stream. */
export interface KeyedReadOnlyBroadcastContext<K> extends ReadOnlyBroadcastContext {
  readonly currentKey: K;
}
/** {@link BroadcastContext} beside a keyed stream. */
export interface KeyedBroadcastContext<K> extends BroadcastContext {
  /** Calls `visit` with every key of this subtask that has the state, and that key's state. */
  applyToKeyedState<S extends KeyedState>(descriptor: StateDescriptor<S>, visit: (key: K, state: S) => void | undefined): void;
}
/** What `onTimer` can ask beside a broadcast stream. */
export interface KeyedBroadcastOnTimerContext<K> extends KeyedReadOnlyBroadcastContext<K> {
  readonly timeDomain: TimeDomain;
}
/** A {@link BroadcastProcessFunction} with state and timers per key of the stream that is not broadcast. Flink: KeyedBroadcastProcessFunction. */
export interface KeyedBroadcastProcessFunction<K, T, B, R> extends RichFunction {
  processElement(value: T, context: KeyedReadOnlyBroadcastContext<K>, out: Collector<R>): void | undefined;
  processBroadcastElement(value: B, context: KeyedBroadcastContext<K>, out: Collector<R>): void | undefined;
  onTimer?(timestampMs: number, context: KeyedBroadcastOnTimerContext<K>, out: Collector<R>): void | undefined;
}

/** What a window function can ask: its window, time, side outputs, and state per window (cleared with it) or per key. */
export interface ProcessWindowContext<W> {
  readonly window: W;
  readonly currentProcessingTime: number;
  readonly currentWatermark: number;
  readonly windowState: KeyedStateStore;
  readonly globalState: KeyedStateStore;
  output<X>(tag: OutputTag<X>, value: X): void;
}
/** Called for each firing of a key's window, with its records or what they were combined to. Flink: ProcessWindowFunction. */
export interface ProcessWindowFunction<IN, OUT, K, W> extends RichFunction {
  process(key: K, context: ProcessWindowContext<W>, elements: Iterable<IN>, out: Collector<OUT>): void | undefined;
  /** Called when the window is dropped, to clear what it keeps in `windowState`. */
  clear?(context: ProcessWindowContext<W>): void | undefined;
}
/** The plain-function form of a window function. */
export type WindowFn<IN, OUT, K, W> = (key: K, window: W, elements: Iterable<IN>, out: Collector<OUT>) => void | undefined;
/** Called for each firing of a window over all records. Flink: ProcessAllWindowFunction. */
export interface ProcessAllWindowFunction<IN, OUT, W> extends RichFunction {
  process(context: ProcessWindowContext<W>, elements: Iterable<IN>, out: Collector<OUT>): void | undefined;
  clear?(context: ProcessWindowContext<W>): void | undefined;
}
