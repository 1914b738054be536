import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { MillraceError, SLOT_HEAP } from "@millrace/core";
import { ModuleGate } from "@millrace/graph";
import type { SlotBegin, SlotCarrier, SlotMessage, SlotObserver, SlotStart } from "./slot-carrier.js";

/** Chains are long functions by design: V8's limits would leave their tails out of line. */
export const V8_FLAGS: readonly string[] = ["--max-inlined-bytecode-size=1000", "--max-inlined-bytecode-size-cumulative=2000", "--initial-old-space-size=64"];

let flagsSet = false;

/** Starts a slot in a worker thread, with an isolate and a heap limit of its own. */
export function startThread({ heapBytes, entryUrl, preloadUrl, binding, credentials }: SlotStart, observer: SlotObserver): SlotCarrier {
  if (!flagsSet) for (const flag of V8_FLAGS) setFlagsFromString(flag);
  flagsSet = true;
  const gate = new ModuleGate();
  const worker = new Worker(new URL(entryUrl), {
    execArgv: [], name: "millrace slot", workerData: { preloadUrl, binding, credentials, gate: gate.shared } satisfies SlotBegin, resourceLimits: { maxOldGenerationSizeMb: heapLimitMb(heapBytes) },
  });
  worker.on("message", (message: SlotMessage) => observer.message(message));
  worker.on("error", (error: Error & { code?: string }) => observer.lost(lost(error, heapBytes)));
  worker.on("exit", (code) => observer.lost(new MillraceError({
    code: "SLOT_LOST", recovery: "restart", message: `a slot's worker thread exited with code ${code}`, hint: "functions must not call process.exit()",
  })));
  return {
    path: undefined,
    threadId: worker.threadId,
    inspect: () => Promise.reject(new Error("the slot is a thread of this process")),
    post: (message, transfer) => worker.postMessage(message, transfer),
    terminate: async () => {
      await gate.close(setTimeout);
      await worker.terminate();
    },
  };
}

/** V8 does not start with less. */
export function heapLimitMb(heapBytes: number): number {
  return Math.max(16, Math.floor(heapBytes / 1024 ** 2));
}

export function outOfMemory(where: string, heapBytes: number, cause?: Error): MillraceError {
  return new MillraceError({
    code: "SLOT_OUT_OF_MEMORY", recovery: "restart", ...(cause === undefined ? {} : { cause }),
    message: `a slot ran out of memory: its ${where} may use ${Math.floor(heapBytes / 1024 ** 2)} MiB of heap`,
    hint: `raise ${SLOT_HEAP.key}, or use more slots so that each holds less state`, location: { option: SLOT_HEAP.key },
  });
}

function lost(error: Error & { code?: string }, heapBytes: number): MillraceError {
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") return outOfMemory("worker thread", heapBytes, error);
  return new MillraceError({ code: "SLOT_LOST", recovery: "restart", message: `a slot's worker thread died: ${error.message}`, cause: error });
}
