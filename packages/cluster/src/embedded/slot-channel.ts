import { Worker, parentPort, workerData } from "node:worker_threads";
import type { SlotCommand } from "@millrace/runtime";
import type { SlotBegin, SlotMessage } from "./slot-carrier.js";
import type { SlotLoad } from "./slot-protocol.js";

/** The slot's end of the connection to its parent. */
export interface SlotChannel {
  readonly begin: SlotBegin;
  post(message: SlotMessage, transfer?: readonly ArrayBuffer[]): void;
  /** What comes before is kept for it. */
  onMessage(take: (message: SlotLoad | SlotCommand) => void): void;
}

/** The channel of this thread or process, whichever the slot was started as. */
export function slotChannel(): Promise<SlotChannel> {
  return parentPort === null ? processChannel() : Promise.resolve(threadChannel(parentPort));
}

function threadChannel(port: NonNullable<typeof parentPort>): SlotChannel {
  return {
    begin: workerData as SlotBegin,
    post: (message, transfer = []) => port.postMessage(message, transfer as ArrayBuffer[]),
    onMessage: (take) => void port.on("message", take),
  };
}

/** A process's first message is what it begins with. */
function processChannel(): Promise<SlotChannel> {
  endWithParent();
  return new Promise((resolve) => {
    const early: (SlotLoad | SlotCommand)[] = [];
    let take = (message: SlotLoad | SlotCommand): void => void early.push(message);
    process.once("message", (begin) => {
      process.on("message", (message) => take(message as SlotLoad | SlotCommand));
      resolve({
        begin: begin as SlotBegin,
        // Nobody is left to be told when this fails; the process is about to end.
        post: (message) => void process.send!(message, undefined, undefined, () => undefined),
        onMessage: (handler) => {
          take = handler;
          for (const message of early.splice(0)) handler(message);
        },
      });
    });
  });
}

/** The stream over which the parent asks what this process does. */
const INSPECTOR_STREAM = 4;
const WATCH_HEAP_MB = 128;

/**
 * Looks whether the parent is still there, and answers what it asks of this process, from a thread that no code of the job can keep busy. What it needs for
 * answers is loaded with the first question.
 */
const WATCH = `
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 500);
const { url, fd } = require("node:worker_threads").workerData;
if (url !== undefined) {
  const stream = new (require("node:net").Socket)({ fd, readable: true, writable: true });
  stream.on("error", () => undefined);
  stream.once("data", (first) => { stream.pause(); import(url).then(({ serveSocket }) => serveSocket(stream, first)); });
}`;

/** A slot must not go on without its parent, whatever it is doing. Ctrl-C in a terminal goes to the whole group: what happens then is the parent's affair. */
function endWithParent(): void {
  process.on("disconnect", () => process.exit(1));
  process.on("SIGINT", () => undefined);
  const workerData = { url: process.argv[2], fd: INSPECTOR_STREAM };
  const watch = new Worker(WATCH, { eval: true, execArgv: [], name: "parent watch", workerData, resourceLimits: { maxOldGenerationSizeMb: WATCH_HEAP_MB, maxYoungGenerationSizeMb: 4 } });
  // Should it fail, nobody sees into this process any more, and its channel still tells it of its parent's end.
  watch.on("error", () => undefined);
  watch.unref();
}
