import type { FileSystem } from "@millrace/core";
import type { JobManager } from "../../dispatcher/job-manager.js";
import type { JobMaster } from "../../job-master/job-master.js";
import type { RegisteredTaskManager } from "../../resource-manager/resource-manager.js";
import { JobMasterGateway, type JobMasterGatewayOptions } from "./job-master-gateway.js";
import { standbyRefusal } from "../../rpc/standby-refusal.js";
import { isFinal } from "./job-summary.js";
import type { TaskManagerView } from "./rest-gateway.js";

/** Tasks in these states are over: they hold no slot. */
const over: ReadonlySet<string> = new Set(["FINISHED", "CANCELED", "FAILED"]);

/**
 * A JobManager and the TaskManagers that are registered at it; none while it is a standby. Its Dispatcher remembers the jobs that have ended.
 *
 * TaskManagers send no metrics of their own processes, only those of tasks; their logs are where they run.
 */
export class ClusterGateway extends JobMasterGateway {
  readonly #jobManager: () => JobManager | undefined;

  /** @param jobManager the one that leads, while that is this process */
  constructor(jobManager: () => JobManager | undefined, options: JobMasterGatewayOptions) {
    super(options);
    this.#jobManager = jobManager;
  }

  async taskManagers(): Promise<readonly TaskManagerView[]> {
    const slots = this.#tasksOfSlots();
    return (this.#jobManager()?.resources.taskManagers ?? []).map((taskManager) => viewOf(taskManager, [...(slots.get(taskManager.about.taskManagerId)?.values() ?? [])]));
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

function viewOf({ about, connection, freeSlots }: RegisteredTaskManager, allocatedSlots: TaskManagerView["allocatedSlots"]): TaskManagerView {
  const { taskManagerId, host, numberOfSlots, processId, hardware } = about;
  return {
    // Every slot has a data port of its own.
    id: taskManagerId, path: `${host}, process ${processId}`, dataPort: -1, lastHeartbeatMs: Date.now() - connection.silentMs, slots: numberOfSlots, freeSlots, allocatedSlots,
    hardware, metrics: {},
  };
}
