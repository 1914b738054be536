import { availableParallelism, totalmem } from "node:os";
import { MillraceError, serializeError } from "@millrace/core";
import type { JobMaster } from "../../job-master/job-master.js";
import type { JobView } from "../../job-master/job-view.js";
import { ProcessMetrics } from "../../metrics/process-metrics.js";
import { stackTrace } from "./stack-trace.js";
import type {
  CheckpointKind, JobManagerView, JobOutcome, JobSummary, LogFile, ResourceRequirements, RestGateway, SavepointRequest, StopRequest, TaskManagerView, ThreadInfo,
} from "./rest-gateway.js";
import { summaryOf } from "./job-summary.js";

export interface EmbeddedGatewayOptions {
  readonly version: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Called by `DELETE /cluster`; without it that is refused. */
  readonly onShutDown?: () => void;
}

interface EmbeddedJob {
  readonly master: JobMaster;
  outcome: JobOutcome | undefined;
}

const REMEMBERED_JOBS = 50;

/**
 * The jobs of this process, shown as a cluster of one JobManager and one TaskManager. Flink: MiniCluster with its web UI.
 *
 * Jobs that have ended stay, the last 50 of them. What needs savepoints or a scheduler that can rescale is `NOT_SUPPORTED`.
 */
export class EmbeddedGateway implements RestGateway {
  readonly artifacts = undefined;
  readonly #options: EmbeddedGatewayOptions;
  readonly #jobs = new Map<string, EmbeddedJob>();
  readonly #process = new ProcessMetrics();

  constructor(options: EmbeddedGatewayOptions) {
    this.#options = options;
  }

  /** Shows this job from now on. */
  add(jobId: string, master: JobMaster): void {
    const job: EmbeddedJob = { master, outcome: undefined };
    this.#jobs.set(jobId, job);
    const ended = (status: JobOutcome["status"], failure?: JobOutcome["failure"]): void => {
      job.outcome = { status, failure, accumulators: master.accumulators() };
    };
    master.result.then(() => ended("FINISHED"), (error: unknown) => {
      const wire = serializeError(error);
      if (wire.code === "JOB_CANCELED") ended("CANCELED");
      else ended("FAILED", { name: wire.name, stack: stackTrace(wire) });
    });
    for (const [id, { outcome }] of this.#jobs) if (this.#jobs.size > REMEMBERED_JOBS && outcome !== undefined) this.#jobs.delete(id);
  }

  close(): void {
    this.#process.close();
  }

  async listJobs(): Promise<readonly JobSummary[]> {
    return [...this.#jobs.values()].map(({ master }) => summaryOf(master.view()));
  }

  async job(jobId: string): Promise<JobView> {
    return this.#find(jobId).master.view();
  }

  async jobOutcome(jobId: string): Promise<JobOutcome | undefined> {
    return this.#find(jobId).outcome;
  }

  async cancelJob(jobId: string): Promise<void> {
    this.#find(jobId).master.cancel();
  }

  async triggerCheckpoint(jobId: string, _kind: CheckpointKind): Promise<number> {
    const path = await this.#find(jobId).master.triggerCheckpoint();
    return Number(path.slice(path.lastIndexOf("-") + 1));
  }

  async triggerSavepoint(jobId: string, _request: SavepointRequest): Promise<string> {
    this.#find(jobId);
    throw notSupported("savepoints of an embedded job");
  }

  async stopWithSavepoint(jobId: string, _request: StopRequest): Promise<string> {
    this.#find(jobId);
    throw notSupported("savepoints of an embedded job");
  }

  async disposeSavepoint(_path: string): Promise<void> {
    throw notSupported("disposing of savepoints");
  }

  async resourceRequirements(jobId: string): Promise<ResourceRequirements> {
    const { jobGraph } = this.#find(jobId).master.view();
    return Object.fromEntries(jobGraph.vertices.map(({ id, parallelism }) => [id, { lowerBound: 1, upperBound: parallelism }]));
  }

  async updateResourceRequirements(jobId: string, _requirements: ResourceRequirements): Promise<void> {
    this.#find(jobId);
    throw notSupported("rescaling an embedded job");
  }

  async jobManager(): Promise<JobManagerView> {
    const running = [...this.#jobs.values()].filter(({ outcome }) => outcome === undefined);
    const { slots } = this.#taskManager();
    return {
      version: this.#options.version, commit: "unknown", config: this.#options.config,
      environment: { runtime: `Node.js ${process.version} (V8 ${process.versions.v8})`, architecture: process.arch, options: process.execArgv },
      metrics: { ...this.#process.read(), numRegisteredTaskManagers: 1, numPendingTaskManagers: 0, numRunningJobs: running.length, taskSlotsTotal: slots, taskSlotsAvailable: 0 },
    };
  }

  async taskManagers(): Promise<readonly TaskManagerView[]> {
    return [this.#taskManager()];
  }

  async taskManager(taskManagerId: string): Promise<TaskManagerView> {
    const only = this.#taskManager();
    if (taskManagerId !== only.id) throw new MillraceError({ code: "TASK_MANAGER_UNKNOWN", message: `no TaskManager is registered under ${taskManagerId}` });
    return only;
  }

  async logs(taskManagerId: string | undefined): Promise<readonly LogFile[]> {
    if (taskManagerId !== undefined) await this.taskManager(taskManagerId);
    return [];
  }

  async readLog(_taskManagerId: string | undefined, name: string): Promise<Uint8Array> {
    throw new MillraceError({ code: "LOG_UNKNOWN", message: `there is no log file "${name}"`, hint: "an embedded job logs to its terminal" });
  }

  async threadDump(_taskManagerId: string | undefined): Promise<readonly ThreadInfo[]> {
    return [];
  }

  async shutDown(): Promise<void> {
    if (this.#options.onShutDown === undefined) throw notSupported("shutting down from outside");
    this.#options.onShutDown();
  }

  #find(jobId: string): EmbeddedJob {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw new MillraceError({ code: "JOB_UNKNOWN", message: `Job ${jobId} not found` });
    return job;
  }

  /** As many slots as the running jobs hold: subtask `i` of every vertex shares slot `i`. */
  #taskManager(): TaskManagerView {
    const allocatedSlots = [...this.#jobs].flatMap(([jobId, { master, outcome }]) => {
      if (outcome !== undefined) return [];
      const { vertices } = master.view();
      const slots = Math.max(1, ...vertices.map(({ subtasks }) => subtasks.length));
      return Array.from({ length: slots }, (_, slot) => ({ jobId, tasks: vertices.filter(({ subtasks }) => slot < subtasks.length).length }));
    });
    const metrics = this.#process.read();
    return {
      id: "embedded", path: "in-process", dataPort: -1, lastHeartbeatMs: Date.now(), slots: allocatedSlots.length, freeSlots: 0, allocatedSlots,
      hardware: { cpuCores: availableParallelism(), physicalMemoryBytes: totalmem(), heapBytes: metrics["Status.JVM.Memory.Heap.Max"] ?? 0 }, metrics,
    };
  }
}

function notSupported(what: string): MillraceError {
  return new MillraceError({ code: "NOT_SUPPORTED", message: `${what}: not possible here` });
}
