import { ProcessMetrics } from "../metrics/process-metrics.js";
import type { DumpedThread, InspectorAnswers, InspectorRequest, ThreadProfile } from "./inspector-protocol.js";
import { unknownLog, type LogDirectory } from "./log-directory.js";
import type { LogFile, LogPiece, ProcessInspection, Profiling, ProfilingMode, ProfilingRequest, SampledThread, StackSampling, ThreadInfo } from "./process-inspection.js";
import { Profilings, type ProfilingsInit } from "./profilings.js";
import type { SlotUsage } from "./slot-usage.js";
import { ThreadInspector } from "./thread-inspector.js";

/** A slot of this process as it is looked at. */
export interface InspectedSlot {
  /** What is in it. */
  readonly name: string;
  /** The job that has it. */
  readonly jobId: string | undefined;
  /** Where it is a thread of this process. */
  readonly threadId: number | undefined;
  readonly usage: SlotUsage | undefined;
  /** Asks its own process, where it is one. */
  inspect<R extends InspectorRequest>(request: R): Promise<InspectorAnswers[R["kind"]]>;
}

export interface NodeProcessInspectionInit {
  /** What is shown as the log; without it there is none. */
  readonly logs?: LogDirectory | undefined;
  readonly slots?: () => readonly InspectedSlot[];
  /** Jobs may run in threads that no {@link slots} tells of: all are watched. */
  readonly watchesAllThreads?: boolean;
  /** Default: ten, in a temporary directory. */
  readonly profilings?: ProfilingsInit;
}

/** The process that this code runs in. Close it. */
export class NodeProcessInspection implements ProcessInspection {
  readonly #init: NodeProcessInspectionInit;
  readonly #metrics = new ProcessMetrics();
  readonly #threads = new ThreadInspector();
  readonly #profilings: Profilings;

  constructor(init: NodeProcessInspectionInit = {}) {
    this.#init = init;
    this.#profilings = new Profilings(init.profilings ?? { name: "process", historySize: 10 }, (mode, durationMs) => this.#profile(mode, durationMs));
  }

  async logs(): Promise<readonly LogFile[]> {
    return (await this.#init.logs?.list()) ?? [];
  }

  async readLog(name: string, offset: number): Promise<LogPiece> {
    const { logs } = this.#init;
    if (logs === undefined) throw unknownLog(name);
    return logs.read(name, offset);
  }

  async threadDump(): Promise<readonly ThreadInfo[]> {
    const slots = this.#slots();
    const [own, ...others] = await Promise.all([
      this.#threads.ask({ kind: "dump" }),
      ...slots.filter(({ threadId }) => threadId === undefined).map(async (slot) => {
        const [main] = await slot.inspect({ kind: "dump" });
        return main === undefined ? [] : [threadInfo({ ...main, name: "" }, slot.name)];
      }),
    ]);
    const named = own.map((thread) => threadInfo(thread, slots.find(({ threadId }) => threadId === thread.threadId)?.name));
    return [...named, ...others.flat()];
  }

  metrics(): Promise<Readonly<Record<string, number>>> {
    return Promise.resolve(this.readMetrics());
  }

  readMetrics(): Record<string, number> {
    return this.#metrics.read(this.#slots().flatMap(({ usage }) => usage ?? []));
  }

  async sampleStacks({ jobId, ...sampling }: StackSampling): Promise<readonly SampledThread[]> {
    const request = { kind: "sample", jobId, ...sampling } as const;
    if (this.#init.watchesAllThreads === true) {
      const threads = (await this.#threads.ask({ kind: "dump" })).map(({ threadId }) => threadId);
      return this.#threads.ask({ ...request, threads });
    }
    const slots = this.#slots().filter((slot) => slot.jobId === jobId);
    const threads = slots.flatMap(({ threadId }) => threadId ?? []);
    const found = await Promise.all([
      threads.length === 0 ? [] : this.#threads.ask({ ...request, threads }),
      ...slots.filter(({ threadId }) => threadId === undefined).map((slot) => slot.inspect({ ...request, threads: [0] })),
    ]);
    return found.flat();
  }

  async startProfiling(request: ProfilingRequest): Promise<Profiling> {
    return this.#profilings.start(request);
  }

  profilings(): Promise<readonly Profiling[]> {
    return Promise.resolve(this.#profilings.list);
  }

  readProfile(name: string, offset: number): Promise<LogPiece> {
    return this.#profilings.read(name, offset);
  }

  close(): void {
    this.#metrics.close();
    this.#threads.close();
    this.#profilings.close();
  }

  /** A slot whose process ends meanwhile is left out. */
  async #profile(mode: Exclude<ProfilingMode, "LOCK">, durationMs: number): Promise<readonly ThreadProfile[]> {
    const slots = this.#slots();
    const request = { kind: "profile", mode, durationMs } as const;
    const [own, ...others] = await Promise.all([
      this.#threads.ask(request),
      ...slots.filter(({ threadId }) => threadId === undefined).map(async (slot) => {
        const found = await slot.inspect({ ...request, threads: [0] }).catch(() => []);
        return found.map((thread) => ({ ...thread, name: slot.name }));
      }),
    ]);
    // The slots may be others than at the beginning.
    const named = own.map((thread) => ({ ...thread, name: threadTitle(thread, [...slots, ...this.#slots()].find(({ threadId }) => threadId === thread.threadId)?.name) }));
    return [...named, ...others.flat()];
  }

  #slots(): readonly InspectedSlot[] {
    return this.#init.slots?.() ?? [];
  }
}

function threadTitle({ threadId, name }: Pick<DumpedThread, "threadId" | "name">, slot: string | undefined): string {
  return slot ?? (threadId === 0 ? "main" : name === "" ? "worker" : name);
}

/** In the form that readers of Java's thread dumps know. */
function threadInfo({ threadId, name, frames }: DumpedThread, slot: string | undefined): ThreadInfo {
  const title = threadTitle({ threadId, name }, slot);
  const lines = frames === undefined ? ["waiting for events"] : frames;
  return { name: title, stack: [`"${title}" Id=${threadId} ${frames === undefined ? "WAITING" : "RUNNABLE"}`, ...lines.map((line) => `\tat ${line}`), "", ""].join("\n") };
}
