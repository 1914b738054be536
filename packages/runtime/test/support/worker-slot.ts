import { performance } from "node:perf_hooks";
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import type { Env, MessagePortLike } from "@millrace/core";
import type { StreamGraph } from "@millrace/graph";
import { SlotExecutor } from "../../src/slot/slot-executor.js";
import { MemoryFiles } from "./memory-files.js";

/** A slot in a worker thread, as the TaskManager starts them: real clock, real ports. `workerData.graph` names the module that builds the graph. */
const clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs: number, action: () => void) => {
    const timer = setTimeout(action, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  yieldThen: (action: () => void) => void setImmediate(action),
};

function portFor(raw: unknown): MessagePortLike {
  const port = raw as MessagePort;
  const queue: unknown[] = [];
  const like: MessagePortLike = {
    post: (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[] | undefined),
    receive: () => (queue.length > 0 ? queue.shift() : receiveMessageOnPort(port)?.message),
    onWake: undefined,
    close: () => port.close(),
  };
  port.on("message", (message) => {
    queue.push(message);
    like.onWake?.();
  });
  return like;
}

const env: Env = { clock, rng: { next: Math.random }, fs: new MemoryFiles(), net: undefined as never, outside: undefined as never, log: { write: () => undefined } };
const { graph } = (await import(workerData.graph)) as { readonly graph: StreamGraph };
const executor = new SlotExecutor({ env, send: (event, transfer) => parentPort!.postMessage(event, transfer), loadGraph: () => graph, portFor });
parentPort!.on("message", (command) => executor.handle(command));
