import type { Cancellable } from "@millrace/core";
import { Random } from "./random.js";
import { Trace } from "./trace.js";

interface ScheduledEvent {
  readonly atUs: number;
  readonly sequence: number;
  action: (() => void) | undefined;
}

export interface SimulationOptions {
  readonly seed: number;
  /** Keeps the lines of the trace, not only their hash. */
  readonly keepsTrace?: boolean;
}

const SOURCE_PLACE = / \(at [^()]*:\d+:\d+\)/g;

/**
 * Virtual time, and everything that will happen in it: one thread, one order of events, no other source of change. What an event sets off in promises
 * runs before the next event. The same seed gives the same events.
 */
export class Simulation {
  readonly trace: Trace;
  /** What took the world apart: errors that nobody caught. A run with one has failed. */
  readonly uncaught: unknown[] = [];
  readonly #random: Random;
  readonly #heap: ScheduledEvent[] = [];
  #nowUs = 0;
  #sequence = 0;
  #events = 0;

  constructor({ seed, keepsTrace = false }: SimulationOptions) {
    this.#random = new Random(Math.imul(seed, 0x9e3779b1) ^ seed);
    this.trace = new Trace(keepsTrace);
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  get nowMs(): number {
    return this.#nowUs / 1000;
  }

  /** Events that have happened. */
  get events(): number {
    return this.#events;
  }

  /** A stream of random numbers for one part of the world. */
  random(name: string): Random {
    return this.#random.fork(name);
  }

  /** Adds a line to the trace. Places in source files are left out: they say where this copy lies. */
  note(text: string): void {
    this.trace.line(this.#nowUs, text.replaceAll(SOURCE_PLACE, ""));
  }

  /** Calls `action` after `delayUs`, whatever became of anybody meanwhile. Events of one instant keep their order. */
  schedule(delayUs: number, action: () => void): Cancellable {
    const event: ScheduledEvent = { atUs: this.#nowUs + Math.max(0, Math.round(delayUs)), sequence: this.#sequence++, action };
    this.#push(event);
    return {
      cancel: () => {
        event.action = undefined;
      },
    };
  }

  /** Lets time run until `done`, or for `limitMs`, or until nothing is left to happen; tells whether it was `done`. */
  async run(done: () => boolean, limitMs: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    const untilUs = this.#nowUs + limitMs * 1000;
    for (;;) {
      await settled();
      if (done()) return true;
      const event = this.#next();
      if (event === undefined) return false;
      if (event.atUs > untilUs) {
        this.#push(event);
        this.#nowUs = untilUs;
        return false;
      }
      this.#nowUs = event.atUs;
      this.#events++;
      this.trace.number(event.atUs);
      this.trace.number(event.sequence);
      try {
        event.action!();
      } catch (error) {
        this.uncaught.push(error);
      }
    }
  }

  #next(): ScheduledEvent | undefined {
    for (;;) {
      const event = this.#pop();
      if (event === undefined || event.action !== undefined) return event;
    }
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): ScheduledEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.sequence < b.sequence);
}

/** All promises that could settle have. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
