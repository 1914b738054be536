import { availableParallelism, totalmem } from "node:os";
import { MillraceError, type FileSystem } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import type { JobMaster } from "../../job-master/job-master.js";
import { NodeProcessInspection } from "../../inspection/node-process-inspection.js";
import type { ProcessInspection, SampledThread, StackSampling } from "../../inspection/process-inspection.js";
import { JobMasterGateway, unknownTaskManager, type JobMasterGatewayOptions } from "./job-master-gateway.js";
import { isFinal } from "./job-summary.js";
import type { TaskManagerView } from "./rest-gateway.js";

const REMEMBERED_JOBS = 50;
const TASK_MANAGER = "embedded";

/**
 * The jobs of this process, shown as a cluster of one JobManager and one TaskManager. Flink: MiniCluster with its web UI.
 *
 * Jobs that have ended stay, the last 50 of them.
 */
export class EmbeddedGateway extends JobMasterGateway {
  readonly #jobs = new Map<string, JobMaster>();

  constructor(options: JobMasterGatewayOptions) {
    super({ inspection: new NodeProcessInspection({ watchesAllThreads: true }), ...options });
  }

  /** Shows this job from now on. */
  add(jobId: string, master: JobMaster): void {
    this.#jobs.set(jobId, master);
    for (const [id, { status }] of this.#jobs) if (this.#jobs.size > REMEMBERED_JOBS && isFinal(status)) this.#jobs.delete(id);
  }

  /** As many slots as the running jobs hold: subtask `i` of every vertex shares slot `i`. */
  async taskManagers(): Promise<readonly TaskManagerView[]> {
    const allocatedSlots = [...this.#jobs].flatMap(([jobId, master]) => {
      if (isFinal(master.status)) return [];
      const { vertices } = master.view();
      const slots = Math.max(1, ...vertices.map(({ subtasks }) => subtasks.length));
      return Array.from({ length: slots }, (_, slot) => ({ jobId, tasks: vertices.filter(({ subtasks }) => slot < subtasks.length).length }));
    });
    const metrics = this.inspection.readMetrics();
    return [{
      id: TASK_MANAGER, path: "in-process", dataPort: -1, lastHeartbeatMs: Date.now(), slots: allocatedSlots.length, freeSlots: 0, allocatedSlots,
      hardware: { cpuCores: availableParallelism(), physicalMemoryBytes: totalmem(), heapBytes: metrics["Status.JVM.Memory.Heap.Max"] ?? 0 }, metrics,
    }];
  }

  sampleStacks(request: StackSampling): Promise<readonly SampledThread[]> {
    return this.inspection.sampleStacks(request);
  }

  protected inspectionOf(taskManagerId: string): ProcessInspection {
    if (taskManagerId !== TASK_MANAGER) throw unknownTaskManager(taskManagerId);
    return this.inspection;
  }

  protected readonly fs: FileSystem = createNodeEnv().fs;

  protected masters(): readonly JobMaster[] {
    return [...this.#jobs.values()];
  }

  protected find(jobId: string): JobMaster {
    const master = this.#jobs.get(jobId);
    if (master === undefined) throw new MillraceError({ code: "JOB_UNKNOWN", message: `Job ${jobId} not found` });
    return master;
  }
}
