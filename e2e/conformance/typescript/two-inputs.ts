import {
  MapStateDescriptor, ValueStateDescriptor,
  type BroadcastContext, type BroadcastProcessFunction, type Collector, type KeyedBroadcastContext, type KeyedBroadcastOnTimerContext, type KeyedBroadcastProcessFunction,
  type KeyedCoProcessFunction, type KeyedProcessContext, type KeyedReadOnlyBroadcastContext, type OnTimerContext, type ReadOnlyBroadcastContext, type ReadOnlyBroadcastState,
  type RuntimeContext, type ValueState,
} from "millrace";
import { long, type Event, type Pipeline } from "./case.js";

/** `co-process`: counts per side, and timers that both sides register. */
class CountSides implements KeyedCoProcessFunction<string, Event, Event, unknown> {
  #left!: ValueState<number>;
  #right!: ValueState<number>;

  open(context: RuntimeContext): void {
    this.#left = context.getState(new ValueStateDescriptor<number>("left"));
    this.#right = context.getState(new ValueStateDescriptor<number>("right"));
  }

  processElement1(event: Event, context: KeyedProcessContext<string>, out: Collector<unknown>): void {
    this.#element(1, this.#left, event, context, out);
  }

  processElement2(event: Event, context: KeyedProcessContext<string>, out: Collector<unknown>): void {
    this.#element(2, this.#right, event, context, out);
  }

  #element(input: 1 | 2, count: ValueState<number>, event: Event, context: KeyedProcessContext<string>, out: Collector<unknown>): void {
    count.update((count.value() ?? 0) + 1);
    if (event.c === "reg") context.timerService.registerEventTimeTimer(event.a);
    out.collect({ e: "element", in: input, k: event.k, id: event.id, wm: long(context.timerService.currentWatermark()), ...this.#counts() });
  }

  onTimer(time: number, context: OnTimerContext<string>, out: Collector<unknown>): void {
    out.collect({ e: "timer", k: context.currentKey, time, wm: long(context.timerService.currentWatermark()), ...this.#counts() });
  }

  #counts(): { left: number; right: number } {
    return { left: this.#left.value() ?? 0, right: this.#right.value() ?? 0 };
  }
}

const rules = new MapStateDescriptor<string, number>("rules");
const seen = new ValueStateDescriptor<number>("seen");

/** Names of the rules at or below a threshold, by UTF-16 code unit. */
function ruleNames(state: ReadOnlyBroadcastState<string, number>, most: number = Number.POSITIVE_INFINITY): string[] {
  return [...state.entries()].filter(([, threshold]) => threshold <= most).map(([name]) => name).sort();
}

function changeRules({ c, k, v }: Event, context: BroadcastContext): void {
  const state = context.getBroadcastState(rules);
  if (c === "set") state.put(k, v);
  else if (c === "del") state.remove(k);
}

class KeyedRules implements KeyedBroadcastProcessFunction<string, Event, Event, unknown> {
  #seen!: ValueState<number>;

  open(context: RuntimeContext): void {
    this.#seen = context.getState(seen);
  }

  processElement(event: Event, context: KeyedReadOnlyBroadcastContext<string>, out: Collector<unknown>): void {
    this.#seen.update((this.#seen.value() ?? 0) + 1);
    if (event.c === "reg") context.timerService.registerEventTimeTimer(event.a);
    const names = ruleNames(context.getBroadcastState(rules), event.v);
    out.collect({ e: "element", k: event.k, id: event.id, seen: this.#seen.value(), rules: names, wm: long(context.timerService.currentWatermark()) });
  }

  processBroadcastElement(event: Event, context: KeyedBroadcastContext<string>, out: Collector<unknown>): void {
    changeRules(event, context);
    if (event.c !== "count") return;
    let keys = 0;
    let sum = 0;
    context.applyToKeyedState(seen, (_key, state) => {
      keys++;
      sum += state.value() ?? 0;
    });
    out.collect({ e: "count", id: event.id, keys, seen: sum });
  }

  onTimer(time: number, context: KeyedBroadcastOnTimerContext<string>, out: Collector<unknown>): void {
    out.collect({ e: "timer", k: context.currentKey, time, rules: ruleNames(context.getBroadcastState(rules)) });
  }
}

class Rules implements BroadcastProcessFunction<Event, Event, unknown> {
  processElement(event: Event, context: ReadOnlyBroadcastContext, out: Collector<unknown>): void {
    out.collect({ id: event.id, rules: ruleNames(context.getBroadcastState(rules), event.v), wm: long(context.timerService.currentWatermark()) });
  }

  processBroadcastElement(event: Event, context: BroadcastContext): void {
    changeRules(event, context);
  }
}

const keyOf = (event: Event): string => event.k;

export const twoInputPipelines: Readonly<Record<string, Pipeline>> = {
  "co-map": (job) => ({
    main: job.input("left").connect(job.input("right")).map<{ in: number; id: number; v: number }>(
      ({ id, v }) => ({ in: 1, id, v }),
      ({ id, v }) => ({ in: 2, id, v: 0 - v }),
    ),
  }),
  "co-flat-map": (job) => ({
    main: job.input("left").connect(job.input("right")).flatMap<unknown>(
      ({ id, v }, out) => {
        for (let i = 0; i < ((v % 4) + 4) % 4; i++) out.collect({ in: 1, id, i });
      },
      ({ id, v }, out) => {
        if (v % 2 === 0) out.collect({ in: 2, id });
      },
    ),
  }),
  "co-process": (job) => ({ main: job.input("left").keyBy(keyOf).connect(job.input("right").keyBy(keyOf)).process(CountSides) }),
  "broadcast-keyed": (job) => ({ main: job.input("data").keyBy(keyOf).connect(job.input("rules").broadcast(rules)).process(KeyedRules) }),
  broadcast: (job) => ({ main: job.input("data").connect(job.input("rules").broadcast(rules)).process(Rules) }),
};
