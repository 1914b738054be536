import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { MillraceError } from "@millrace/core";
import { inspectorThreadUrl } from "../inspection/thread-inspector.js";
import { ProcessInspector } from "./process-inspector.js";
import type { SlotBegin, SlotCarrier, SlotMessage, SlotObserver, SlotStart } from "./slot-carrier.js";
import { V8_FLAGS, heapLimitMb, outOfMemory } from "./slot-thread.js";

/** So much of what a process said last is looked at for the reason it died of. */
const KEPT_OUTPUT = 16_384;

/**
 * Starts a slot in a process of its own: what aborts it, or fills the machine's memory, takes nobody along. Slots of one machine reach each other
 * through Unix domain sockets in a directory of this user alone.
 */
export function startProcess(start: SlotStart, observer: SlotObserver): SlotCarrier {
  const { heapBytes, entryUrl, preloadUrl, binding, credentials } = start;
  const path = process.platform === "win32" ? undefined : nextPath();
  const child = fork(fileURLToPath(entryUrl), [inspectorThreadUrl], {
    execArgv: [...V8_FLAGS, `--max-old-space-size=${heapLimitMb(heapBytes)}`], serialization: "advanced", stdio: ["ignore", "pipe", "pipe", "ipc", "pipe"],
  });
  const inspector = new ProcessInspector(child.stdio[4] as Duplex);
  let said = "";
  child.stdout!.pipe(process.stdout, { end: false });
  child.stderr!.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("latin1")).slice(-KEPT_OUTPUT);
    process.stderr.write(chunk);
  });
  child.on("message", (message) => observer.message(message as SlotMessage));
  child.on("error", (error) => observer.lost(new MillraceError({ code: "SLOT_LOST", recovery: "restart", message: `a slot's process cannot be used: ${error.message}`, cause: error })));
  // Once its output has ended, too: it tells why.
  const closed = new Promise<void>((resolve) => {
    child.once("close", (code: number | null, signal: NodeJS.Signals | null) => {
      observer.lost(lost(child, code, signal, said, heapBytes));
      if (path !== undefined) rmSync(path, { force: true });
      resolve();
    });
  });
  send(child, { preloadUrl, binding: path === undefined ? (binding ?? { host: "127.0.0.1", ports: [0] }) : { ...binding, path }, credentials } satisfies SlotBegin);
  return {
    path,
    threadId: undefined,
    inspect: (request) => inspector.ask(request),
    post: (message) => send(child, message),
    terminate: () => {
      child.kill("SIGKILL");
      return closed;
    },
  };
}

/** That a process is gone is told by its end. */
function send(child: ChildProcess, message: object): void {
  if (child.connected) child.send(message, () => undefined);
}

function lost({ pid }: ChildProcess, code: number | null, signal: NodeJS.Signals | null, said: string, heapBytes: number): MillraceError {
  if (/JavaScript heap out of memory|Reached heap limit/.test(said)) return outOfMemory(`process ${pid}`, heapBytes);
  if (signal !== null) {
    const hint = signal === "SIGKILL" ? "if nobody did it by hand, the machine ran out of memory: the kernel's log says so" : "native code in the job's packages may have crashed; the TaskManager's output has what it said";
    return new MillraceError({ code: "SLOT_LOST", recovery: "restart", message: `a slot's process (${pid}) was ended by ${signal}`, hint });
  }
  return new MillraceError({ code: "SLOT_LOST", recovery: "restart", message: `a slot's process (${pid}) exited with code ${code}`, hint: "functions must not call process.exit()" });
}

let directory: string | undefined;
let sockets = 0;

function nextPath(): string {
  if (directory === undefined) {
    const made = mkdtempSync(join(tmpdir(), "millrace-slots-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    directory = made;
  }
  return join(directory, String(sockets++));
}
