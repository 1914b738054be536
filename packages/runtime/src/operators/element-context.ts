import {
  MillraceError, NO_TIMESTAMP,
  type Collector, type InternalTimerService, type OnTimerContext, type OperatorContext, type Output, type OutputTag, type TimeDomain, type TimerService,
} from "@millrace/core";
import { specialize } from "./specialize.js";

/** The collector and the context of a process function in one operator: made once, pointed at each record or timer before the function is called. */
export interface ElementContext extends OnTimerContext<unknown> {
  /** What the function gets as its collector; emits at the element's time unless told otherwise. */
  readonly collector: Collector<unknown>;
  /** Points both at a record. */
  at(timestampMs: number, out: Output<unknown>): void;
  /** Points both at a timer; results of processing-time timers carry no time stamp. */
  atTimer(timestampMs: number, timeDomain: TimeDomain, out: Output<unknown>): void;
}

type ElementContextClass = new (timerService: TimerService, currentKey: () => unknown) => ElementContext;

/** Re-evaluated per operator, see `specialize`. */
function elementContextClass(noTimestamp: number): ElementContextClass {
  class ElementCollector implements Collector<unknown> {
    out: Output<unknown> | undefined = undefined;
    timestampMs = noTimestamp;
    collect(value: unknown, timestampMs?: number): void {
      this.out!.collect(value, timestampMs === undefined ? this.timestampMs : timestampMs);
    }
  }
  return class implements ElementContext {
    readonly collector: ElementCollector = new ElementCollector();
    readonly timerService: TimerService;
    timeDomain: TimeDomain = "event-time";
    timestampMs = noTimestamp;
    readonly key: () => unknown;

    constructor(timerService: TimerService, key: () => unknown) {
      this.timerService = timerService;
      this.key = key;
    }

    at(timestampMs: number, out: Output<unknown>): void {
      this.timestampMs = timestampMs;
      this.collector.timestampMs = timestampMs;
      this.collector.out = out;
    }

    atTimer(timestampMs: number, timeDomain: TimeDomain, out: Output<unknown>): void {
      this.timestampMs = timestampMs;
      this.timeDomain = timeDomain;
      this.collector.timestampMs = timeDomain === "event-time" ? timestampMs : noTimestamp;
      this.collector.out = out;
    }

    get timestamp(): number | undefined {
      return this.timestampMs === noTimestamp ? undefined : this.timestampMs;
    }

    get currentKey(): unknown {
      return this.key();
    }

    output<X>(tag: OutputTag<X>, value: X): void {
      this.collector.out!.sideOutput(tag, value, this.timestampMs);
    }
  };
}

/** Makes the element context of one operator; `currentKey` throws where there is none. */
export function createElementContext(context: OperatorContext, timerService: TimerService): ElementContext {
  const Class = specialize(elementContextClass, `${context.operatorId}.context`)(NO_TIMESTAMP);
  if (!context.isKeyed) return new Class(timerService, () => { throw notKeyed(context); });
  const state = context.keyedState;
  return new Class(timerService, () => state.currentKey);
}

function notKeyed(context: OperatorContext): MillraceError {
  return new MillraceError({
    code: "STATE_NOT_KEYED",
    message: `operator "${context.operatorName}" asked for the current key, but its input is not keyed`,
    hint: "call keyBy before it",
    location: { operator: context.operatorName, operatorId: context.operatorId, subtask: context.subtaskIndex },
  });
}

/** The user's timers: those of the operator's timer service, in the void namespace. */
export class KeyedTimerService implements TimerService {
  private readonly timers: InternalTimerService;

  constructor(timers: InternalTimerService) {
    this.timers = timers;
  }

  currentProcessingTime(): number {
    return this.timers.currentProcessingTime();
  }
  currentWatermark(): number {
    return this.timers.currentWatermark;
  }
  registerEventTimeTimer(timestampMs: number): void {
    this.timers.registerEventTimeTimer("", timestampMs);
  }
  registerProcessingTimeTimer(timestampMs: number): void {
    this.timers.registerProcessingTimeTimer("", timestampMs);
  }
  deleteEventTimeTimer(timestampMs: number): void {
    this.timers.deleteEventTimeTimer("", timestampMs);
  }
  deleteProcessingTimeTimer(timestampMs: number): void {
    this.timers.deleteProcessingTimeTimer("", timestampMs);
  }
}

/** Time without timers, for inputs that are not keyed: registering or deleting one is `TIMER_NOT_KEYED`. */
export class TimerlessService implements TimerService {
  readonly #context: OperatorContext;
  readonly #currentWatermark: () => number;

  constructor(context: OperatorContext, currentWatermark: () => number) {
    this.#context = context;
    this.#currentWatermark = currentWatermark;
  }

  currentProcessingTime(): number {
    return this.#context.processingTime.nowMs();
  }
  currentWatermark(): number {
    return this.#currentWatermark();
  }
  registerEventTimeTimer(): void {
    throw this.#refuse();
  }
  registerProcessingTimeTimer(): void {
    throw this.#refuse();
  }
  deleteEventTimeTimer(): void {
    throw this.#refuse();
  }
  deleteProcessingTimeTimer(): void {
    throw this.#refuse();
  }

  #refuse(): MillraceError {
    const { operatorName, operatorId, subtaskIndex } = this.#context;
    return new MillraceError({
      code: "TIMER_NOT_KEYED",
      message: `operator "${operatorName}" used a timer, but the element it processes has no key`,
      hint: "timers belong to keys: call keyBy before the process function; broadcast elements have no key",
      location: { operator: operatorName, operatorId, subtask: subtaskIndex },
    });
  }
}
