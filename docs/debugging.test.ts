// What docs/debugging.md promises: a breakpoint in a function of a job binds in the slot's worker thread, by the bundle's source map, and stops there.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Session } from "node:inspector";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runJob } from "millrace";

const folder = fileURLToPath(new URL("../.millrace/debugging/", import.meta.url));
const job = `import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromSequence(1, 2).map((n: number): number => {
  const doubled = n * 2;
  return doubled;
}).discard();
await env.execute("Breakpoint");
`;

interface WorkerMessage {
  readonly method?: string;
  readonly params?: {
    readonly reason?: string;
    readonly data?: { readonly url?: string; readonly sourceMapURL?: string };
    readonly hitBreakpoints?: readonly string[];
  };
}

/** Does in one process what a debugger does that attaches to worker threads. */
class Debugger {
  readonly sources: string[] = [];
  /** Names of the threads that stopped at the breakpoint. */
  readonly stops: string[] = [];
  readonly #session = new Session();
  readonly #threads = new Map<string, string>();
  readonly #line: string;
  #ids = 0;

  constructor(line: string) {
    this.#line = line;
    this.#session.connect();
    this.#session.on("NodeWorker.attachedToWorker", ({ params }) => {
      this.#threads.set(params.sessionId, params.workerInfo.title);
      this.#send(params.sessionId, "Debugger.enable");
      this.#send(params.sessionId, "Debugger.setInstrumentationBreakpoint", { instrumentation: "beforeScriptWithSourceMapExecution" });
      this.#send(params.sessionId, "Runtime.runIfWaitingForDebugger");
    });
    this.#session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => this.#receive(params.sessionId, JSON.parse(params.message) as WorkerMessage));
    this.#session.post("NodeWorker.enable", { waitForDebuggerOnStart: true });
  }

  close(): void {
    this.#session.disconnect();
  }

  #receive(thread: string, { method, params }: WorkerMessage): void {
    if (method !== "Debugger.paused") return;
    if (params?.reason === "instrumentation") this.#bind(thread, params.data?.url ?? "", params.data?.sourceMapURL ?? "");
    else if ((params?.hitBreakpoints?.length ?? 0) > 0) this.stops.push(this.#threads.get(thread)!);
    this.#send(thread, "Debugger.resume");
  }

  /** A script with a source map is about to run: if it holds the job, the breakpoint is set before anything in it has run. */
  #bind(thread: string, url: string, sourceMapUrl: string): void {
    const [, base64] = sourceMapUrl.split("base64,");
    if (base64 === undefined || !url.startsWith("file:")) return;
    const { sources } = JSON.parse(Buffer.from(base64, "base64").toString()) as { sources: string[] };
    if (!sources.some((source) => source.endsWith("breakpoint-job.ts"))) return;
    this.sources.push(...sources);
    const lineNumber = readFileSync(fileURLToPath(url), "utf8").split("\n").findIndex((line) => line.includes(this.#line));
    this.#send(thread, "Debugger.setBreakpointByUrl", { url, lineNumber });
  }

  #send(sessionId: string, method: string, params: object = {}): void {
    this.#session.post("NodeWorker.sendMessageToWorker", { sessionId, message: JSON.stringify({ id: ++this.#ids, method, params }) }, () => undefined);
  }
}

test("a breakpoint in a function stops in the slot, once per record", async () => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "breakpoint-job.ts");
  writeFileSync(file, job);
  const debug = new Debugger("n * 2");
  try {
    await runJob(pathToFileURL(file));
  } finally {
    debug.close();
  }
  assert.ok(debug.sources.some((source) => source.endsWith("breakpoint-job.ts")), String(debug.sources));
  assert.equal(debug.stops.length, 2, String(debug.stops));
  assert.ok(debug.stops.every((name) => name.includes("slot")), String(debug.stops));
});
