import {
  AggregatingStateDescriptor, ListStateDescriptor, MapStateDescriptor, OutputTag, ReducingStateDescriptor, ValueStateDescriptor,
  type BroadcastContext, type Collector, type KeyedBroadcastContext, type KeyedBroadcastOnTimerContext, type KeyedBroadcastProcessFunction,
  type KeyedCoProcessFunction, type KeyedProcessContext, type KeyedProcessFunction, type KeyedReadOnlyBroadcastContext, type OnTimerContext, type ProcessContext,
  type ProcessFunction, type ReadOnlyBroadcastContext, type RuntimeContext, type BroadcastProcessFunction,
} from "@millrace/core";
import { eventOf, statistics, type CaseEvent } from "./conformance-windows.js";

type Keyed = KeyedProcessContext<string>;
type Out = Collector<unknown>;

/** `timers` and `processing-timers`. */
export class Timers implements KeyedProcessFunction<string, CaseEvent, unknown> {
  readonly #chainStep: number;
  #context!: RuntimeContext;
  constructor(chainStep: number) {
    this.#chainStep = chainStep;
  }
  open(context: RuntimeContext): void {
    this.#context = context;
  }
  get #seen() {
    return this.#context.getState(new ValueStateDescriptor<number>("seen"));
  }
  get #chain() {
    return this.#context.getState(new ValueStateDescriptor<number>("chain"));
  }
  get #kills() {
    return this.#context.getMapState(new MapStateDescriptor<number, number>("kills"));
  }
  processElement(event: CaseEvent, context: Keyed, out: Out): undefined {
    const time = context.timerService;
    this.#seen.update((this.#seen.value() ?? 0) + 1);
    out.collect({ e: "element", k: context.currentKey, id: event.id, wm: time.currentWatermark() });
    const a = event.a ?? 0;
    switch (event.c) {
      case "reg": return void time.registerEventTimeTimer(a) as undefined;
      case "del": return void time.deleteEventTimeTimer(a) as undefined;
      case "regp": return void time.registerProcessingTimeTimer(a) as undefined;
      case "delp": return void time.deleteProcessingTimeTimer(a) as undefined;
      case "chain": time.registerEventTimeTimer(a); return void this.#chain.update(event.b ?? 0) as undefined;
      case "chainp": time.registerProcessingTimeTimer(a); return void this.#chain.update(event.b ?? 0) as undefined;
      case "kill": time.registerEventTimeTimer(a); return void this.#kills.put(a, event.b ?? 0) as undefined;
    }
  }
  onTimer(time: number, context: OnTimerContext<string>, out: Out): undefined {
    const eventTime = context.timeDomain === "event-time";
    const timers = context.timerService;
    out.collect({ e: eventTime ? "timer" : "processing-timer", k: context.currentKey, time, wm: timers.currentWatermark(), seen: this.#seen.value() ?? 0 });
    const chain = this.#chain.value() ?? 0;
    if (chain > 0) {
      this.#chain.update(chain - 1);
      if (eventTime) timers.registerEventTimeTimer(time + this.#chainStep);
      else timers.registerProcessingTimeTimer(time + this.#chainStep);
    }
    const kill = eventTime ? this.#kills.get(time) : undefined;
    if (kill !== undefined) timers.deleteEventTimeTimer(kill);
  }
}

export class Fraud implements KeyedProcessFunction<string, CaseEvent, unknown> {
  readonly #p: { readonly small: number; readonly large: number; readonly within: number };
  #context!: RuntimeContext;
  constructor(p: { readonly small: number; readonly large: number; readonly within: number }) {
    this.#p = p;
  }
  open(context: RuntimeContext): void {
    this.#context = context;
  }
  processElement(event: CaseEvent, context: Keyed, out: Out): undefined {
    const flag = this.#context.getState(new ValueStateDescriptor<boolean>("flag"));
    const timer = this.#context.getState(new ValueStateDescriptor<number>("timer"));
    if (flag.value() === true) {
      if (event.v > this.#p.large) out.collect({ alert: context.currentKey, id: event.id });
      context.timerService.deleteEventTimeTimer(timer.value()!);
      flag.clear();
      timer.clear();
    }
    if (event.v < this.#p.small) {
      flag.update(true);
      timer.update(context.timestamp! + this.#p.within);
      context.timerService.registerEventTimeTimer(timer.value()!);
    }
  }
  onTimer(): undefined {
    this.#context.getState(new ValueStateDescriptor<boolean>("flag")).clear();
    this.#context.getState(new ValueStateDescriptor<number>("timer")).clear();
  }
}

export class StateKinds implements KeyedProcessFunction<string, CaseEvent, unknown> {
  #context!: RuntimeContext;
  open(context: RuntimeContext): void {
    this.#context = context;
  }
  processElement({ id, c, a = 0, v }: CaseEvent, context: Keyed, out: Out): undefined {
    const value = this.#context.getState(new ValueStateDescriptor<number>("value"));
    const list = this.#context.getListState(new ListStateDescriptor<number>("list"));
    const map = this.#context.getMapState(new MapStateDescriptor<number, number>("map"));
    const reducing = this.#context.getReducingState(new ReducingStateDescriptor<number>("reducing", Math.max));
    const sum = this.#context.getAggregatingState(new AggregatingStateDescriptor("sum", statistics));
    if (c === "clear") for (const state of [value, list, map, reducing, sum]) state.clear();
    else if (c === "remove") map.remove(a);
    else {
      value.update(v);
      list.add(v);
      map.put(a, (map.get(a) ?? 0) + 1);
      reducing.add(v);
      sum.add({ v });
    }
    out.collect({
      k: context.currentKey, id, value: value.value() ?? null, list: [...list.get()], map: [...map.entries()].map(([key, count]) => [key, count]).sort((x, y) => x[0]! - y[0]!),
      reducing: reducing.get() ?? null, sum: sum.get()?.sum ?? null,
    });
  }
}

export const sideTags = { late: new OutputTag<CaseEvent>("late"), negative: new OutputTag<CaseEvent>("negative"), odd: new OutputTag<CaseEvent>("odd") };

export class SideOutputs implements ProcessFunction<CaseEvent, unknown> {
  processElement(event: CaseEvent, context: ProcessContext, out: Out): undefined {
    if (context.timestamp! <= context.timerService.currentWatermark()) context.output(sideTags.late, eventOf(event));
    if (event.v < 0) context.output(sideTags.negative, eventOf(event));
    if (event.v % 2 !== 0) context.output(sideTags.odd, eventOf(event));
    else out.collect(eventOf(event));
  }
}

export class CoCounts implements KeyedCoProcessFunction<string, CaseEvent, CaseEvent, unknown> {
  #context!: RuntimeContext;
  open(context: RuntimeContext): void {
    this.#context = context;
  }
  #count(side: string) {
    return this.#context.getState(new ValueStateDescriptor<number>(side));
  }
  get #counts(): object {
    return { left: this.#count("left").value() ?? 0, right: this.#count("right").value() ?? 0 };
  }
  processElement1(event: CaseEvent, context: Keyed, out: Out): undefined {
    this.#element(1, event, context, out);
  }
  processElement2(event: CaseEvent, context: Keyed, out: Out): undefined {
    this.#element(2, event, context, out);
  }
  #element(side: 1 | 2, event: CaseEvent, context: Keyed, out: Out): void {
    const count = this.#count(side === 1 ? "left" : "right");
    count.update((count.value() ?? 0) + 1);
    if (event.c === "reg") context.timerService.registerEventTimeTimer(event.a ?? 0);
    out.collect({ e: "element", in: side, k: context.currentKey, id: event.id, wm: context.timerService.currentWatermark(), ...this.#counts });
  }
  onTimer(time: number, context: OnTimerContext<string>, out: Out): undefined {
    out.collect({ e: "timer", k: context.currentKey, time, wm: context.timerService.currentWatermark(), ...this.#counts });
  }
}

export const ruleDescriptor = new MapStateDescriptor<string, number>("rules");
const seenDescriptor = new ValueStateDescriptor<number>("seen");

function ruleNames(rules: Iterable<readonly [string, number]>, atMost = Number.POSITIVE_INFINITY): string[] {
  return [...rules].filter(([, threshold]) => threshold <= atMost).map(([name]) => name).sort();
}
function changeRules(rule: CaseEvent, context: BroadcastContext): void {
  if (rule.c === "set") context.getBroadcastState(ruleDescriptor).put(rule.k, rule.v);
  if (rule.c === "del") context.getBroadcastState(ruleDescriptor).remove(rule.k);
}

export class KeyedRules implements KeyedBroadcastProcessFunction<string, CaseEvent, CaseEvent, unknown> {
  #context!: RuntimeContext;
  open(context: RuntimeContext): void {
    this.#context = context;
  }
  processElement({ id, c, a = 0, v }: CaseEvent, context: KeyedReadOnlyBroadcastContext<string>, out: Out): undefined {
    const seen = this.#context.getState(seenDescriptor);
    seen.update((seen.value() ?? 0) + 1);
    if (c === "reg") context.timerService.registerEventTimeTimer(a);
    const rules = ruleNames(context.getBroadcastState(ruleDescriptor).entries(), v);
    out.collect({ e: "element", k: context.currentKey, id, seen: seen.value(), rules, wm: context.timerService.currentWatermark() });
  }
  processBroadcastElement(rule: CaseEvent, context: KeyedBroadcastContext<string>, out: Out): undefined {
    changeRules(rule, context);
    if (rule.c !== "count") return;
    let keys = 0;
    let seen = 0;
    context.applyToKeyedState(seenDescriptor, (_key, state) => {
      keys++;
      seen += state.value()!;
    });
    out.collect({ e: "count", id: rule.id, keys, seen });
  }
  onTimer(time: number, context: KeyedBroadcastOnTimerContext<string>, out: Out): undefined {
    out.collect({ e: "timer", k: context.currentKey, time, rules: ruleNames(context.getBroadcastState(ruleDescriptor).entries()) });
  }
}

export class Rules implements BroadcastProcessFunction<CaseEvent, CaseEvent, unknown> {
  processElement({ id, v }: CaseEvent, context: ReadOnlyBroadcastContext, out: Out): undefined {
    out.collect({ id, rules: ruleNames(context.getBroadcastState(ruleDescriptor).entries(), v), wm: context.timerService.currentWatermark() });
  }
  processBroadcastElement(rule: CaseEvent, context: BroadcastContext): undefined {
    changeRules(rule, context);
  }
}
