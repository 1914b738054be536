import {
  ListStateDescriptor, ValueStateDescriptor, type Collector, type KeyedProcessContext, type KeyedProcessFunction, type ListState, type OnTimerContext, type RuntimeContext,
  type ValueState,
} from "millrace";
import type { Event } from "./job-spec.js";
import type { Probe } from "./probe.js";

/** A keyed function that lets the probe see what it sees. */
abstract class Probed {
  protected readonly operator: string;
  protected readonly probe: Probe;
  readonly #run: number;
  #attempt = "";
  #subtask = 0;

  constructor(operator: string, run: number, probe: Probe) {
    this.operator = operator;
    this.#run = run;
    this.probe = probe;
  }

  open(context: RuntimeContext): void {
    this.#attempt = `${this.#run}.${context.attemptNumber}`;
    this.#subtask = context.subtaskIndex;
    this.probe.visit(`${this.operator} open`);
  }

  protected seen(context: KeyedProcessContext<string> | OnTimerContext<string>): void {
    this.probe.key(this.operator, this.#attempt, this.#subtask, context.currentKey);
    this.probe.watermark(this.operator, this.#attempt, this.#subtask, context.timerService.currentWatermark());
    this.probe.visit(this.operator);
  }
}

/** Counts the records of a key. */
export class Count extends Probed implements KeyedProcessFunction<string, Event, Event> {
  #count!: ValueState<number>;

  override open(context: RuntimeContext): void {
    super.open(context);
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
  }
  processElement({ key }: Event, context: KeyedProcessContext<string>, out: Collector<Event>): void {
    this.seen(context);
    const value = (this.#count.value() ?? 0) + 1;
    this.#count.update(value);
    out.collect({ key, at: 0, value });
  }
}

/** Lets the first of equal records pass. */
export class Dedupe extends Probed implements KeyedProcessFunction<string, Event, Event> {
  #known!: ValueState<boolean>;

  override open(context: RuntimeContext): void {
    super.open(context);
    this.#known = context.getState(new ValueStateDescriptor<boolean>("known"));
  }
  processElement(event: Event, context: KeyedProcessContext<string>, out: Collector<Event>): void {
    this.seen(context);
    if (this.#known.value() === true) return;
    this.#known.update(true);
    out.collect(event);
  }
}

/** Holds records until event time has passed them by. */
export class Hold extends Probed implements KeyedProcessFunction<string, Event, Event> {
  readonly #delayMs: number;
  #held!: ListState<Event>;

  constructor(operator: string, run: number, probe: Probe, delayMs: number) {
    super(operator, run, probe);
    this.#delayMs = delayMs;
  }
  override open(context: RuntimeContext): void {
    super.open(context);
    this.#held = context.getListState(new ListStateDescriptor<Event>("held"));
  }
  processElement(event: Event, context: KeyedProcessContext<string>): void {
    this.seen(context);
    this.#held.add(event);
    context.timerService.registerEventTimeTimer(event.at + this.#delayMs);
  }
  onTimer(timestampMs: number, context: OnTimerContext<string>, out: Collector<Event>): void {
    this.seen(context);
    const left: Event[] = [];
    let waited = 0;
    for (const event of this.#held.get()) {
      if (event.at + this.#delayMs !== timestampMs) left.push(event);
      else {
        out.collect({ ...event, at: timestampMs });
        waited++;
      }
    }
    this.#held.update(left);
    this.probe.timer(this.operator, timestampMs, context.timerService.currentWatermark(), waited);
  }
}

/** After the last record; fires when the input ends, which processing-time timers do not. */
const END_OF_TIME_MS = 1e12;

/** Holds records for a while of processing time. */
export class HoldProcessing extends Probed implements KeyedProcessFunction<string, Event, Event> {
  readonly #longestMs: number;
  #held!: ListState<Event>;

  constructor(operator: string, run: number, probe: Probe, longestMs: number) {
    super(operator, run, probe);
    this.#longestMs = longestMs;
  }
  override open(context: RuntimeContext): void {
    super.open(context);
    this.#held = context.getListState(new ListStateDescriptor<Event>("held"));
  }
  processElement(event: Event, context: KeyedProcessContext<string>): void {
    this.seen(context);
    const { timerService } = context;
    this.#held.add(event);
    timerService.registerProcessingTimeTimer(timerService.currentProcessingTime() + (event.value % this.#longestMs));
    timerService.registerEventTimeTimer(END_OF_TIME_MS);
  }
  onTimer(_timestampMs: number, context: OnTimerContext<string>, out: Collector<Event>): void {
    this.seen(context);
    for (const event of this.#held.get()) out.collect(event);
    this.#held.clear();
  }
}
