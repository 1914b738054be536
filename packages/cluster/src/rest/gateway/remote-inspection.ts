import type { LogFile, LogPiece, ProcessInspection, Profiling, ProfilingRequest, SampledThread, StackSampling, ThreadInfo } from "../../inspection/process-inspection.js";
import type { RpcConnection } from "../../rpc/rpc-connection.js";
import type { ToTaskManager } from "../../task-manager/task-manager-protocol.js";

/** So old may figures be that are shown; many routes show them. */
const FRESH_MS = 1000;
/** A TaskManager that is busier than this is shown with the figures it had. */
const PATIENCE_MS = 2000;

/** A TaskManager's process, seen over its connection. */
export class RemoteInspection implements ProcessInspection {
  readonly #connection: RpcConnection;
  #metrics: Readonly<Record<string, number>> = {};
  #askedMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(connection: RpcConnection) {
    this.#connection = connection;
  }

  logs(): Promise<readonly LogFile[]> {
    return this.#connection.request("logs", undefined satisfies ToTaskManager["logs"]);
  }

  readLog(name: string, offset: number): Promise<LogPiece> {
    return this.#connection.request("readLog", { name, offset } satisfies ToTaskManager["readLog"]);
  }

  threadDump(): Promise<readonly ThreadInfo[]> {
    return this.#connection.request("threadDump", undefined satisfies ToTaskManager["threadDump"]);
  }

  sampleStacks(request: StackSampling): Promise<readonly SampledThread[]> {
    return this.#connection.request("sampleStacks", request satisfies ToTaskManager["sampleStacks"]);
  }

  startProfiling(request: ProfilingRequest): Promise<Profiling> {
    return this.#connection.request("startProfiling", request satisfies ToTaskManager["startProfiling"]);
  }

  profilings(): Promise<readonly Profiling[]> {
    return this.#connection.request("profilings", undefined satisfies ToTaskManager["profilings"]);
  }

  readProfile(name: string, offset: number): Promise<LogPiece> {
    return this.#connection.request("readProfile", { name, offset } satisfies ToTaskManager["readProfile"]);
  }

  /** The last ones that are known, when there are no new ones in time. */
  async metrics(): Promise<Readonly<Record<string, number>>> {
    if (performance.now() - this.#askedMs > FRESH_MS) this.#asking ??= this.#ask();
    if (this.#asking !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([this.#asking, new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)))]);
      clearTimeout(timer);
    }
    return this.#metrics;
  }

  async #ask(): Promise<void> {
    try {
      this.#metrics = await this.#connection.request("processMetrics", undefined satisfies ToTaskManager["processMetrics"]);
    } catch {
      // It has just been lost, or shows nothing.
    } finally {
      this.#askedMs = performance.now();
      this.#asking = undefined;
    }
  }
}
