import { MillraceError, serializeError } from "@millrace/core";
import type { Env } from "@millrace/core";
import type { StreamGraph } from "@millrace/graph";
import { SlotExecutor } from "@millrace/runtime";
import type { SlotCommand, SlotEvent } from "@millrace/runtime";
import type { AllocatedSlots, SlotProvider, SlotRequest } from "../scheduler/slot-provider.js";

/** One slot in the caller's thread that hosts every subtask, with the program's own functions: nothing is re-run, and nothing can be stopped by force. */
export class InThreadSlots implements SlotProvider {
  readonly oneSlot = true;
  readonly #env: Env;
  readonly #graph: StreamGraph;
  readonly #roundTripEdges: boolean;

  constructor(env: Env, graph: StreamGraph, roundTripEdges = false) {
    this.#env = env;
    this.#graph = graph;
    this.#roundTripEdges = roundTripEdges;
  }

  async allocate(request: SlotRequest): Promise<AllocatedSlots> {
    let released = false;
    const toMaster = inOrder((event: SlotEvent) => {
      if (!released) request.onEvent(0, event);
    });
    const send = (event: SlotEvent): void => {
      // Among the lines that functions write to this thread's console themselves, a line keeps its place only when it is written at once.
      if (event.type !== "log") toMaster(event);
      else if (!released) this.#env.log.write(event.level, event.line);
    };
    const executor = new SlotExecutor({
      env: this.#env, send, loadGraph: () => this.#graph, portFor: noPeers, roundTripLocalEdges: this.#roundTripEdges, checkEveryRecord: true,
    });
    const toSlot = inOrder((command: SlotCommand) => {
      try {
        executor.handle(command);
      } catch (error) {
        toMaster({ type: "slotFailed", error: serializeError(error) });
      }
    });
    return {
      send: (_, command) => toSlot(command),
      connectAll: () => undefined,
      release: async () => {
        released = true;
        // Ends what outlives its tasks: source coordinators with their timers.
        toSlot({ type: "cancel", epoch: request.epoch });
      },
    };
  }
}

function noPeers(): never {
  throw new MillraceError({ code: "INTERNAL_ERROR", message: "a job in one thread has no channels between slots", hint: "this is a bug in Millrace, please report it" });
}

/** Delivers in order, each time from a microtask, so that neither side is ever called from inside its own call. */
function inOrder<T>(deliver: (item: T) => void): (item: T) => void {
  let queue: T[] = [];
  const drain = (): void => {
    const items = queue;
    queue = [];
    for (const item of items) deliver(item);
  };
  return (item) => {
    if (queue.push(item) === 1) void Promise.resolve().then(drain);
  };
}
