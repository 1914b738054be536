import type { FileSystem } from "@millrace/core";
import type { JobManager } from "../../dispatcher/job-manager.js";
import type { JobMaster } from "../../job-master/job-master.js";
import type { RegisteredTaskManager } from "../../resource-manager/resource-manager.js";
import type { ProcessInspection, SampledThread, StackSampling } from "../../inspection/process-inspection.js";
import type { RpcConnection } from "../../rpc/rpc-connection.js";
import { JobMasterGateway, unknownTaskManager, type JobMasterGatewayOptions } from "./job-master-gateway.js";
import { standbyRefusal } from "../../rpc/standby-refusal.js";
import { isFinal } from "./job-summary.js";
import { RemoteInspection } from "./remote-inspection.js";
import type { TaskManagerView } from "./rest-gateway.js";

/** Tasks in these states are over: they hold no slot. */
const over: ReadonlySet<string> = new Set(["FINISHED", "CANCELED", "FAILED"]);

/**
 * A JobManager and the TaskManagers that are registered at it; none while it is a standby. Its Dispatcher remembers the jobs that have ended, and TaskManagers
 * are asked what goes on in their processes.
 */
export class ClusterGateway extends JobMasterGateway {
  readonly #jobManager: () => JobManager | undefined;
  readonly #inspections = new WeakMap<RpcConnection, RemoteInspection>();

  /** @param jobManager the one that leads, while that is this process */
  constructor(jobManager: () => JobManager | undefined, options: JobMasterGatewayOptions) {
    super(options);
    this.#jobManager = jobManager;
  }

  async taskManagers(): Promise<readonly TaskManagerView[]> {
    const slots = this.#tasksOfSlots();
    return Promise.all(this.#registered().map(async (taskManager) =>
      viewOf(taskManager, [...(slots.get(taskManager.about.taskManagerId)?.values() ?? [])], await this.#inspection(taskManager).metrics())));
  }

  async sampleStacks(request: StackSampling): Promise<readonly SampledThread[]> {
    const found = await Promise.allSettled(this.#registered().map((taskManager) => this.#inspection(taskManager).sampleStacks(request)));
    return found.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  }

  protected inspectionOf(taskManagerId: string): ProcessInspection {
    const found = this.#registered().find(({ about }) => about.taskManagerId === taskManagerId);
    if (found === undefined) throw unknownTaskManager(taskManagerId);
    return this.#inspection(found);
  }

  #registered(): readonly RegisteredTaskManager[] {
    return this.#jobManager()?.resources.taskManagers ?? [];
  }

  #inspection(taskManager: RegisteredTaskManager): RemoteInspection {
    let inspection = this.#inspections.get(taskManager.connection);
    if (inspection === undefined) this.#inspections.set(taskManager.connection, (inspection = new RemoteInspection(taskManager.connection)));
    return inspection;
  }

  protected get fs(): FileSystem {
    return this.#leader().fs;
  }

  protected masters(): readonly JobMaster[] {
    const dispatcher = this.#jobManager()?.dispatcher;
    return dispatcher === undefined ? [] : dispatcher.list().map(({ jobId }) => dispatcher.job(jobId).master);
  }

  protected find(jobId: string): JobMaster {
    return this.#leader().dispatcher.job(jobId).master;
  }

  /** @throws when that is another process */
  #leader(): JobManager {
    const jobManager = this.#jobManager();
    if (jobManager === undefined) throw standbyRefusal(undefined);
    return jobManager;
  }

  /** By TaskManager and slot, which its endpoint tells from others: the job, and how many tasks of it are there. */
  #tasksOfSlots(): ReadonlyMap<string, ReadonlyMap<string, TaskManagerView["allocatedSlots"][number]>> {
    const taskManagers = new Map<string, Map<string, TaskManagerView["allocatedSlots"][number]>>();
    for (const master of this.masters()) {
      if (isFinal(master.status)) continue;
      const { jobGraph: { jobId }, vertices } = master.view();
      for (const { current: { state, location } } of vertices.flatMap(({ subtasks }) => subtasks)) {
        if (over.has(state)) continue;
        let slots = taskManagers.get(location.taskManagerId);
        if (slots === undefined) taskManagers.set(location.taskManagerId, (slots = new Map()));
        slots.set(location.endpoint, { jobId, tasks: (slots.get(location.endpoint)?.tasks ?? 0) + 1 });
      }
    }
    return taskManagers;
  }
}

function viewOf({ about, connection, freeSlots }: RegisteredTaskManager, allocatedSlots: TaskManagerView["allocatedSlots"], metrics: TaskManagerView["metrics"]): TaskManagerView {
  const { taskManagerId, host, numberOfSlots, processId, hardware } = about;
  return {
    // Every slot has a data port of its own.
    id: taskManagerId, path: `${host}, process ${processId}`, dataPort: -1, lastHeartbeatMs: Date.now() - connection.silentMs, slots: numberOfSlots, freeSlots, allocatedSlots,
    hardware, metrics,
  };
}
