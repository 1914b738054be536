import { EndOfStreamTrigger } from "./end-of-stream-trigger.js";
import { NeverTrigger } from "./never-trigger.js";
import type { Trigger } from "./trigger.js";
import type { WindowAssigner } from "./window-assigner.js";
import { globalWindowCodec, GlobalWindow, type WindowCodec } from "./window.js";

const onlyWindow: readonly GlobalWindow[] = [GlobalWindow.instance];

/**
 * One window for all records of a key. It never ends by itself: give it a trigger, or make it with `createWithEndOfStreamTrigger()` to get one result
 * when bounded input ends. Flink: GlobalWindows.
 */
export class GlobalWindows implements WindowAssigner<unknown, GlobalWindow> {
  readonly isEventTime = false;
  readonly windowCodec: WindowCodec<GlobalWindow> = globalWindowCodec;
  readonly #trigger: Trigger<unknown, GlobalWindow>;

  private constructor(trigger: Trigger<unknown, GlobalWindow>) {
    this.#trigger = trigger;
  }

  static create(): GlobalWindows {
    return new GlobalWindows(NeverTrigger.create());
  }

  static createWithEndOfStreamTrigger(): GlobalWindows {
    return new GlobalWindows(EndOfStreamTrigger.create());
  }

  assignWindows(): readonly GlobalWindow[] {
    return onlyWindow;
  }

  getDefaultTrigger(): Trigger<unknown, GlobalWindow> {
    return this.#trigger;
  }
}
