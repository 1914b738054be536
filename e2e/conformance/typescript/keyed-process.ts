import {
  AggregatingStateDescriptor, ListStateDescriptor, MapStateDescriptor, ReducingStateDescriptor, ValueStateDescriptor,
  type AggregatingState, type Collector, type KeyedProcessContext, type KeyedProcessFunction, type ListState, type MapState, type OnTimerContext, type ReducingState,
  type RuntimeContext, type TimerService, type ValueState,
} from "millrace";
import { long, stats, type Event, type Pipeline, type Stats } from "./case.js";

/** `timers` and `processing-timers`: obeys the commands of its events. */
class TimerCommands implements KeyedProcessFunction<string, Event, unknown> {
  readonly #chainStep: number;
  #seen!: ValueState<number>;
  #chain!: ValueState<number>;
  #kills!: MapState<number, number>;

  constructor(chainStep: number) {
    this.#chainStep = chainStep;
  }

  open(context: RuntimeContext): void {
    this.#seen = context.getState(new ValueStateDescriptor<number>("seen"));
    this.#chain = context.getState(new ValueStateDescriptor<number>("chain"));
    this.#kills = context.getMapState(new MapStateDescriptor<number, number>("kills"));
  }

  processElement(event: Event, context: KeyedProcessContext<string>, out: Collector<unknown>): void {
    const timers = context.timerService;
    this.#seen.update((this.#seen.value() ?? 0) + 1);
    out.collect({ e: "element", k: event.k, id: event.id, wm: long(timers.currentWatermark()) });
    this.#obey(event, timers);
  }

  #obey({ c, a, b }: Event, timers: TimerService): void {
    if (c === "del") timers.deleteEventTimeTimer(a);
    if (c === "delp") timers.deleteProcessingTimeTimer(a);
    if (c === "reg" || c === "chain" || c === "kill") timers.registerEventTimeTimer(a);
    if (c === "regp" || c === "chainp") timers.registerProcessingTimeTimer(a);
    if (c === "chain" || c === "chainp") this.#chain.update(b);
    if (c === "kill") this.#kills.put(a, b);
  }

  onTimer(time: number, context: OnTimerContext<string>, out: Collector<unknown>): void {
    const timers = context.timerService;
    const inEventTime = context.timeDomain === "event-time";
    out.collect({ e: inEventTime ? "timer" : "processing-timer", k: context.currentKey, time, wm: long(timers.currentWatermark()), seen: this.#seen.value() ?? 0 });
    const left = this.#chain.value() ?? 0;
    if (left > 0) {
      this.#chain.update(left - 1);
      if (inEventTime) timers.registerEventTimeTimer(time + this.#chainStep);
      else timers.registerProcessingTimeTimer(time + this.#chainStep);
    }
    const kill = inEventTime ? this.#kills.get(time) : undefined;
    if (kill !== undefined) timers.deleteEventTimeTimer(kill);
  }
}

/** `fraud`: a large amount soon after a small one. */
class FraudDetector implements KeyedProcessFunction<string, Event, unknown> {
  readonly #params: { readonly small: number; readonly large: number; readonly within: number };
  #flag!: ValueState<boolean>;
  #timer!: ValueState<number>;

  constructor(params: { readonly small: number; readonly large: number; readonly within: number }) {
    this.#params = params;
  }

  open(context: RuntimeContext): void {
    this.#flag = context.getState(new ValueStateDescriptor<boolean>("flag"));
    this.#timer = context.getState(new ValueStateDescriptor<number>("timer"));
  }

  processElement(event: Event, context: KeyedProcessContext<string>, out: Collector<unknown>): void {
    const { small, large, within } = this.#params;
    if (this.#flag.value() === true) {
      if (event.v > large) out.collect({ alert: event.k, id: event.id });
      context.timerService.deleteEventTimeTimer(this.#timer.value()!);
      this.#clear();
    }
    if (event.v >= small) return;
    const time = context.timestamp! + within;
    this.#flag.update(true);
    context.timerService.registerEventTimeTimer(time);
    this.#timer.update(time);
  }

  onTimer(): void {
    this.#clear();
  }

  #clear(): void {
    this.#flag.clear();
    this.#timer.clear();
  }
}

/** `state-kinds`: one state of every kind. */
class StateKinds implements KeyedProcessFunction<string, Event, unknown> {
  #value!: ValueState<number>;
  #list!: ListState<number>;
  #map!: MapState<number, number>;
  #reducing!: ReducingState<number>;
  #aggregating!: AggregatingState<Event, Stats>;

  open(context: RuntimeContext): void {
    this.#value = context.getState(new ValueStateDescriptor<number>("value"));
    this.#list = context.getListState(new ListStateDescriptor<number>("list"));
    this.#map = context.getMapState(new MapStateDescriptor<number, number>("map"));
    this.#reducing = context.getReducingState(new ReducingStateDescriptor<number>("reducing", Math.max));
    this.#aggregating = context.getAggregatingState(new AggregatingStateDescriptor<Event, Stats, Stats>("aggregating", stats));
  }

  processElement(event: Event, _context: KeyedProcessContext<string>, out: Collector<unknown>): void {
    if (event.c === "clear") for (const state of [this.#value, this.#list, this.#map, this.#reducing, this.#aggregating]) state.clear();
    else if (event.c === "remove") this.#map.remove(event.a);
    else this.#update(event);
    const sum = this.#aggregating.get();
    out.collect({
      k: event.k, id: event.id, value: this.#value.value() ?? null, list: [...this.#list.get()], map: [...this.#map.entries()].sort(([a], [b]) => a - b),
      reducing: this.#reducing.get() ?? null, sum: sum?.sum ?? null,
    });
  }

  #update(event: Event): void {
    this.#value.update(event.v);
    this.#list.add(event.v);
    this.#map.put(event.a, (this.#map.get(event.a) ?? 0) + 1);
    this.#reducing.add(event.v);
    this.#aggregating.add(event);
  }
}

const keyed = (make: (params: any) => KeyedProcessFunction<string, Event, unknown>): Pipeline =>
  (job, params) => ({ main: job.input("in").keyBy((event) => event.k).process(() => make(params)) });

export const keyedProcessPipelines: Readonly<Record<string, Pipeline>> = {
  timers: keyed(({ chainStep = 10 }) => new TimerCommands(chainStep)),
  "processing-timers": keyed(({ chainStep = 10 }) => new TimerCommands(chainStep)),
  fraud: keyed((params) => new FraudDetector(params)),
  "state-kinds": keyed(() => new StateKinds()),
};
