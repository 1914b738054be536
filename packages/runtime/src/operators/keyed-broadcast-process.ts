import type {
  InternalTimerService, KeyedBroadcastContext, KeyedBroadcastOnTimerContext, KeyedBroadcastProcessFunction, KeyedState, KeyedStateBackend, MapStateDescriptor,
  OperatorContext, Output, StateDescriptor, StateInitializationContext, TimeDomain, TimerHandler, TimerService, TwoInputOperator,
} from "@millrace/core";
import { NO_TIMESTAMP } from "@millrace/core";
import type { KeyedBroadcastProcessSpec } from "@millrace/graph";
import { ReadingSide, WritingSide } from "./broadcast-process.js";
import { BroadcastStates } from "./broadcast-states.js";
import { KeyedTimerService, TimerlessService } from "./element-context.js";
import { FunctionOperator } from "./function-operator.js";
import { openKeyedState } from "./open-keyed-state.js";
import { TimestampedCollector } from "./timestamped-collector.js";
import { instantiate, refusePromise } from "./user-function.js";

class KeyedReadingSide extends ReadingSide implements KeyedBroadcastOnTimerContext<unknown> {
  timeDomain: TimeDomain = "event-time";
  readonly #state: KeyedStateBackend;

  constructor(timerService: TimerService, state: KeyedStateBackend) {
    super(timerService);
    this.#state = state;
  }
  get currentKey(): unknown {
    return this.#state.currentKey;
  }
}

class KeyedWritingSide extends WritingSide implements KeyedBroadcastContext<unknown> {
  readonly #state: KeyedStateBackend;

  constructor(timerService: TimerService, state: KeyedStateBackend) {
    super(timerService);
    this.#state = state;
  }
  applyToKeyedState<S extends KeyedState>(descriptor: StateDescriptor<S>, visit: (key: unknown, state: S) => void | undefined): void {
    const state = openKeyedState(this.#state, descriptor);
    for (const key of this.#state.keys(descriptor)) {
      this.#state.setCurrentKey(key);
      visit(key, state);
    }
  }
}

type Fn = KeyedBroadcastProcessFunction<unknown, unknown, unknown, unknown>;

/** Runs a KeyedBroadcastProcessFunction: keyed state and timers on input 0; input 1 writes broadcast state and may visit all keys. */
export class KeyedBroadcastProcess extends FunctionOperator implements TwoInputOperator, TimerHandler {
  private readonly fn: Fn;
  private readonly descriptors: readonly MapStateDescriptor<any, any>[];
  private readonly reading: KeyedReadingSide;
  private readonly writing: KeyedWritingSide;
  private readonly collector: TimestampedCollector = new TimestampedCollector();

  constructor(spec: KeyedBroadcastProcessSpec, context: OperatorContext) {
    const fn = instantiate<Fn>(spec.fn, context.operatorName, ["processElement", "processBroadcastElement"]);
    super(context, fn);
    this.fn = fn;
    this.descriptors = spec.descriptors;
    const timers: InternalTimerService = context.timers("user-timers", this);
    this.reading = new KeyedReadingSide(new KeyedTimerService(timers), context.keyedState);
    this.writing = new KeyedWritingSide(new TimerlessService(context, () => timers.currentWatermark), context.keyedState);
  }

  protected override setup(_context: StateInitializationContext): void {
    this.reading.states = this.writing.states = new BroadcastStates(this.descriptors, this.context);
  }

  processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
    this.reading.timestampMs = timestampMs;
    this.reading.out = out;
    const result: unknown = this.fn.processElement(value, this.reading, this.collector.at(timestampMs, out));
    if (result !== undefined) refusePromise(result, this.context.operatorName);
  }

  processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
    this.writing.timestampMs = timestampMs;
    this.writing.out = out;
    const result: unknown = this.fn.processBroadcastElement(value, this.writing, this.collector.at(timestampMs, out));
    if (result !== undefined) refusePromise(result, this.context.operatorName);
  }

  onEventTime(timestampMs: number, _namespace: string, out: Output<unknown>): void {
    this.#onTimer(timestampMs, "event-time", timestampMs, out);
  }

  onProcessingTime(timestampMs: number, _namespace: string, out: Output<unknown>): void {
    this.#onTimer(timestampMs, "processing-time", NO_TIMESTAMP, out);
  }

  #onTimer(timestampMs: number, timeDomain: TimeDomain, resultTimestampMs: number, out: Output<unknown>): void {
    if (this.fn.onTimer === undefined) return;
    this.reading.timestampMs = timestampMs;
    this.reading.timeDomain = timeDomain;
    this.reading.out = out;
    const result: unknown = this.fn.onTimer(timestampMs, this.reading, this.collector.at(resultTimestampMs, out));
    if (result !== undefined) refusePromise(result, this.context.operatorName);
  }
}
