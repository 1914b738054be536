import { inspectThreads, type InspectedThread } from "./inspected-threads.js";
import type { DumpedThread } from "./inspector-protocol.js";
import { frameText, type RawFrame } from "./stack-frames.js";

/** A thread that runs code is stopped at once; one that is still not after so long has none to run. */
const PAUSE_MS = 300;
const MAX_FRAMES = 200;

interface CallFrame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
}

/** Stops every thread for a moment and notes where it is. @param own the thread that asks, which is left out */
export function dumpThreads(own: number): Promise<readonly DumpedThread[]> {
  return inspectThreads(async (threads) => {
    const [main, ...workers] = threads.filter(({ threadId }) => threadId !== own) as [InspectedThread, ...InspectedThread[]];
    // Workers are asked through the main thread, so that one comes last.
    const found = await Promise.all(workers.map(dump));
    return [await dump(main), ...found.sort((a, b) => a.threadId - b.threadId)];
  });
}

async function dump(thread: InspectedThread): Promise<DumpedThread> {
  const paused = new Promise<readonly CallFrame[]>((resolve) => thread.onEvent("Debugger.paused", ({ callFrames }: { callFrames: readonly CallFrame[] }) => resolve(callFrames)));
  const urls = new Map<string, string>();
  thread.onEvent("Debugger.scriptParsed", ({ scriptId, url }: { scriptId: string; url: string }) => urls.set(scriptId, url));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), PAUSE_MS)));
  // Without its answer the thread is in native code; what was sent has an effect later, in order, so that it does not stay stopped.
  const enabled = await thread.ask("Debugger.enable", { maxScriptsCacheSize: 0 }, PAUSE_MS * 3);
  void thread.ask("Debugger.pause");
  const frames = enabled === undefined ? undefined : await Promise.race([paused, late]);
  clearTimeout(timer);
  void thread.ask("Debugger.resume");
  await thread.ask("Debugger.disable", {}, PAUSE_MS);
  return { threadId: thread.threadId, name: thread.name, frames: frames?.slice(0, MAX_FRAMES).map((frame) => frameText(rawFrame(frame, urls), "path")) };
}

function rawFrame({ functionName, location }: CallFrame, urls: ReadonlyMap<string, string>): RawFrame {
  return { functionName, url: urls.get(location.scriptId) ?? "", line: location.lineNumber, column: location.columnNumber ?? 0 };
}
