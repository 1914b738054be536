import { MillraceError, serializeError, type FileSystem } from "@millrace/core";
import { disposeSavepoint } from "../../checkpoint/savepoint-files.js";
import type { JobMaster } from "../../job-master/job-master.js";
import type { JobView } from "../../job-master/job-view.js";
import { NodeProcessInspection } from "../../inspection/node-process-inspection.js";
import type { ProcessInspection } from "../../inspection/process-inspection.js";
import { isFinal, summaryOf } from "./job-summary.js";
import type {
  ArtifactGateway, CheckpointKind, JobManagerView, JobOutcome, JobSummary, LogFile, LogPiece, Profiling, ProfilingRequest, ResourceRequirements, RestGateway, SampledThread, SavepointRequest, StackSampling, StopRequest, TaskManagerView, ThreadInfo,
} from "./rest-gateway.js";
import { stackTrace } from "./stack-trace.js";

export interface JobMasterGatewayOptions {
  readonly version: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** What is shown of this process; the gateway closes it. Default one without logs. */
  readonly inspection?: NodeProcessInspection | undefined;
  /** Where uploaded bundles are; without it none are taken. */
  readonly artifacts?: ArtifactGateway | undefined;
  /** Called by `DELETE /cluster`; without it that is refused. */
  readonly onShutDown?: () => void;
}

/**
 * A gateway in the process of its JobMasters: all but where jobs come from and what TaskManagers there are.
 *
 * A JobMaster shows its job after the end, too, so nothing is kept here.
 */
export abstract class JobMasterGateway implements RestGateway {
  readonly artifacts: ArtifactGateway | undefined;
  /** Of this process. */
  protected readonly inspection: NodeProcessInspection;
  readonly #options: JobMasterGatewayOptions;

  constructor(options: JobMasterGatewayOptions) {
    this.#options = options;
    this.artifacts = options.artifacts;
    this.inspection = options.inspection ?? new NodeProcessInspection();
  }

  /** Jobs that run and those that are remembered, oldest first. */
  protected abstract masters(): readonly JobMaster[];
  /** Where savepoints are. */
  protected abstract readonly fs: FileSystem;
  /** @throws `JOB_UNKNOWN` */
  protected abstract find(jobId: string): JobMaster;
  abstract taskManagers(): Promise<readonly TaskManagerView[]>;
  /** @throws `TASK_MANAGER_UNKNOWN` */
  protected abstract inspectionOf(taskManagerId: string): ProcessInspection;
  abstract sampleStacks(request: StackSampling): Promise<readonly SampledThread[]>;

  close(): void {
    this.inspection.close();
  }

  async listJobs(): Promise<readonly JobSummary[]> {
    return this.masters().map((master) => summaryOf(master.view()));
  }

  async job(jobId: string): Promise<JobView> {
    return this.find(jobId).view();
  }

  async jobOutcome(jobId: string): Promise<JobOutcome | undefined> {
    const master = this.find(jobId);
    if (!isFinal(master.status)) return undefined;
    const ended = (status: JobOutcome["status"], failure?: JobOutcome["failure"]): JobOutcome => ({ status, failure, accumulators: master.accumulators() });
    return master.result.then(() => ended("FINISHED"), (error: unknown) => {
      const wire = serializeError(error);
      return wire.code === "JOB_CANCELED" ? ended("CANCELED") : ended("FAILED", { name: wire.name, stack: stackTrace(wire) });
    });
  }

  async cancelJob(jobId: string): Promise<void> {
    this.find(jobId).cancel();
  }

  async triggerCheckpoint(jobId: string, kind: CheckpointKind): Promise<number> {
    const path = await this.find(jobId).triggerCheckpoint(kind === "FULL");
    return Number(path.slice(path.lastIndexOf("-") + 1));
  }

  async triggerSavepoint(jobId: string, { targetDirectory, format, cancelJob }: SavepointRequest): Promise<string> {
    const master = this.find(jobId);
    const path = await master.triggerSavepoint(targetDirectory, format);
    if (cancelJob) master.cancel();
    return path;
  }

  async stopWithSavepoint(jobId: string, { targetDirectory, format, drain }: StopRequest): Promise<string> {
    const master = this.find(jobId);
    return master.stopWithSavepoint({ directory: targetDirectory, drain, formatType: format });
  }

  async disposeSavepoint(path: string): Promise<void> {
    await disposeSavepoint(this.fs, path);
  }

  async resourceRequirements(jobId: string): Promise<ResourceRequirements> {
    return this.find(jobId).requirements;
  }

  async updateResourceRequirements(jobId: string, requirements: ResourceRequirements): Promise<void> {
    await this.find(jobId).updateRequirements(requirements);
  }

  async jobManager(): Promise<JobManagerView> {
    const taskManagers = await this.taskManagers();
    const sum = (of: (taskManager: TaskManagerView) => number): number => taskManagers.reduce((total, taskManager) => total + of(taskManager), 0);
    return {
      version: this.#options.version, commit: "unknown", config: this.#options.config,
      environment: { runtime: `Node.js ${process.version} (V8 ${process.versions.v8})`, architecture: process.arch, options: process.execArgv },
      metrics: {
        ...this.inspection.readMetrics(), numRegisteredTaskManagers: taskManagers.length, numPendingTaskManagers: 0,
        numRunningJobs: this.masters().filter(({ status }) => !isFinal(status)).length, taskSlotsTotal: sum(({ slots }) => slots), taskSlotsAvailable: sum(({ freeSlots }) => freeSlots),
      },
    };
  }

  async taskManager(taskManagerId: string): Promise<TaskManagerView> {
    const found = (await this.taskManagers()).find(({ id }) => id === taskManagerId);
    if (found === undefined) throw unknownTaskManager(taskManagerId);
    return found;
  }

  async logs(taskManagerId: string | undefined): Promise<readonly LogFile[]> {
    return this.#inspected(taskManagerId).logs();
  }

  async readLog(taskManagerId: string | undefined, name: string, offset: number): Promise<LogPiece> {
    return this.#inspected(taskManagerId).readLog(name, offset);
  }

  async threadDump(taskManagerId: string | undefined): Promise<readonly ThreadInfo[]> {
    return this.#inspected(taskManagerId).threadDump();
  }

  async startProfiling(taskManagerId: string | undefined, request: ProfilingRequest): Promise<Profiling> {
    return this.#inspected(taskManagerId).startProfiling(request);
  }

  async profilings(taskManagerId: string | undefined): Promise<readonly Profiling[]> {
    return this.#inspected(taskManagerId).profilings();
  }

  async readProfile(taskManagerId: string | undefined, name: string, offset: number): Promise<LogPiece> {
    return this.#inspected(taskManagerId).readProfile(name, offset);
  }

  #inspected(taskManagerId: string | undefined): ProcessInspection {
    return taskManagerId === undefined ? this.inspection : this.inspectionOf(taskManagerId);
  }

  async shutDown(): Promise<void> {
    if (this.#options.onShutDown === undefined) throw notSupported("shutting down from outside");
    this.#options.onShutDown();
  }
}

/** `TASK_MANAGER_UNKNOWN` */
export function unknownTaskManager(taskManagerId: string): MillraceError {
  return new MillraceError({ code: "TASK_MANAGER_UNKNOWN", message: `no TaskManager is registered under ${taskManagerId}` });
}

function notSupported(what: string): MillraceError {
  return new MillraceError({ code: "NOT_SUPPORTED", message: `${what}: not possible here` });
}
