import { MillraceError, serializeError } from "@millrace/core";
import type { Env, MessagePortLike } from "@millrace/core";
import type { StreamGraph } from "@millrace/graph";
import { SlotExecutor } from "@millrace/runtime";
import type { SlotCommand, SlotEvent } from "@millrace/runtime";
import type { AllocatedSlots, SlotProvider, SlotRequest } from "../scheduler/slot-provider.js";
import { portPair } from "./port-pair.js";

/** How the slots of a thread are like those of a cluster. For tests. */
export interface InThreadSlotOptions {
  /** Records between tasks of one slot go through the exchange codec, too. */
  readonly roundTripEdges?: boolean;
  /** There are as many slots as in a cluster, with channels between them, instead of one that hosts every subtask. */
  readonly separateSlots?: boolean;
}

/** Slots in the caller's thread, with the program's own functions: nothing is re-run, and nothing can be stopped by force. */
export class InThreadSlots implements SlotProvider {
  readonly oneSlot: boolean;
  readonly #env: Env;
  readonly #graph: StreamGraph;
  readonly #roundTripEdges: boolean;

  constructor(env: Env, graph: StreamGraph, { roundTripEdges = false, separateSlots = false }: InThreadSlotOptions = {}) {
    this.oneSlot = !separateSlots;
    this.#env = env;
    this.#graph = graph;
    this.#roundTripEdges = roundTripEdges;
  }

  async allocate(request: SlotRequest): Promise<AllocatedSlots> {
    const { epoch, numberOfSlots } = request;
    const allocation = { released: false };
    const slots = Array.from({ length: this.oneSlot ? 1 : numberOfSlots }, (_, slotIndex) => this.#slot(slotIndex, request, allocation));
    return {
      send: (slotIndex, command) => slots[slotIndex]!(command),
      connectAll: () => {
        for (let a = 0; a < slots.length; a++) {
          for (let b = a + 1; b < slots.length; b++) {
            const [portOfA, portOfB] = portPair(this.#env.clock);
            slots[a]!({ type: "connect", epoch, peerSlot: b, port: portOfA });
            slots[b]!({ type: "connect", epoch, peerSlot: a, port: portOfB });
          }
        }
      },
      release: async () => {
        allocation.released = true;
        // Ends what outlives its tasks: source coordinators with their timers.
        for (const slot of slots) slot({ type: "cancel", epoch });
      },
    };
  }

  /** @returns what takes its commands */
  #slot(slotIndex: number, request: SlotRequest, allocation: { readonly released: boolean }): (command: SlotCommand) => void {
    const toMaster = inOrder((event: SlotEvent) => {
      if (!allocation.released) request.onEvent(slotIndex, event);
    });
    const send = (event: SlotEvent): void => {
      // Among the lines that functions write to this thread's console themselves, a line keeps its place only when it is written at once.
      if (event.type !== "log") toMaster(event);
      else if (!allocation.released) this.#env.log.write(event.level, event.line);
    };
    const executor = new SlotExecutor({
      env: this.#env, send, loadGraph: () => this.#graph, portFor: this.oneSlot ? noPeers : (port) => port as MessagePortLike, roundTripLocalEdges: this.#roundTripEdges,
      checkEveryRecord: true,
    });
    return inOrder((command: SlotCommand) => {
      try {
        executor.handle(command);
      } catch (error) {
        toMaster({ type: "slotFailed", error: serializeError(error) });
      }
    });
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
