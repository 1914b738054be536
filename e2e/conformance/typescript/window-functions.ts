import { TimeWindow, ValueStateDescriptor, type Collector, type ProcessAllWindowFunction, type ProcessWindowContext, type ProcessWindowFunction, type Window } from "millrace";
import { long, type Event, type Stats } from "./case.js";

/** The bounds of a window, where it has some. */
function bounds(window: Window): { start?: number; end?: number } {
  return window instanceof TimeWindow ? { start: window.startMs, end: window.endMs } : {};
}

function listed(elements: Iterable<Event>, ascending: boolean): { n: number; sum: number; ids: number[] } {
  const all = [...elements];
  const ids = all.map((event) => event.id);
  if (ascending) ids.sort((a, b) => a - b);
  return { n: all.length, sum: all.reduce((sum, event) => sum + event.v, 0), ids };
}

/** `process`. */
export class ListEvents implements ProcessWindowFunction<Event, unknown, string, Window> {
  readonly #ascending: boolean;

  constructor(ascending: boolean) {
    this.#ascending = ascending;
  }

  process(k: string, context: ProcessWindowContext<Window>, elements: Iterable<Event>, out: Collector<unknown>): void {
    out.collect({ k, ...bounds(context.window), ...listed(elements, this.#ascending), wm: long(context.currentWatermark) });
  }
}

/** `process` over all records. */
export class ListAll implements ProcessAllWindowFunction<Event, unknown, Window> {
  readonly #ascending: boolean;

  constructor(ascending: boolean) {
    this.#ascending = ascending;
  }

  process(context: ProcessWindowContext<Window>, elements: Iterable<Event>, out: Collector<unknown>): void {
    out.collect({ ...bounds(context.window), ...listed(elements, this.#ascending) });
  }
}

/** The function behind `reduce-process`. */
export const withWindow: ProcessWindowFunction<Event, unknown, string, Window> = {
  process(k, context, elements, out) {
    for (const { id, v } of elements) out.collect({ k, ...bounds(context.window), id, v, wm: long(context.currentWatermark) });
  },
};

/** The function behind `aggregate-process`. */
export class StatsOf implements ProcessWindowFunction<Stats, unknown, string, Window> {
  process(k: string, context: ProcessWindowContext<Window>, elements: Iterable<Stats>, out: Collector<unknown>): void {
    for (const stats of elements) out.collect({ k, ...bounds(context.window), ...stats });
  }
}

/** The function at the end of `window-cascade`. */
export class StatsOfAll implements ProcessAllWindowFunction<Stats, unknown, Window> {
  process(context: ProcessWindowContext<Window>, elements: Iterable<Stats>, out: Collector<unknown>): void {
    for (const stats of elements) out.collect({ ...bounds(context.window), ...stats });
  }
}

const firings = new ValueStateDescriptor<number>("firings");

/** `count-firings`: how often this window fired, and how often any of the key. */
export class CountFirings implements ProcessWindowFunction<Event, unknown, string, Window> {
  process(k: string, context: ProcessWindowContext<Window>, elements: Iterable<Event>, out: Collector<unknown>): void {
    const [ofWindow, ofKey] = [context.windowState, context.globalState].map((store) => {
      const state = store.getState(firings);
      state.update((state.value() ?? 0) + 1);
      return state.value()!;
    });
    out.collect({ k, ...bounds(context.window), n: [...elements].length, ofWindow, ofKey });
  }

  clear(context: ProcessWindowContext<Window>): void {
    context.windowState.getState(firings).clear();
  }
}
