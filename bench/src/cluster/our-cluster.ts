import { LocalCluster, type ClusterProcess } from "../../../e2e/cluster/processes.js";
import { freeSlots, type BenchCluster } from "./cluster.js";
import { pinToCores } from "./processor-cores.js";

/** Real processes of ours: `millrace jobmanager` and `millrace taskmanager`, default settings but for what is given. */
export class OurCluster implements BenchCluster {
  readonly processes: LocalCluster;

  private constructor(processes: LocalCluster) {
    this.processes = processes;
  }

  static async start(define: Readonly<Record<string, string>> = {}): Promise<OurCluster> {
    pinToCores();
    return new OurCluster(await LocalCluster.start(2, define));
  }

  get directory(): string {
    return this.processes.directory;
  }
  get restUrl(): string {
    return this.processes.restUrl;
  }
  pids(): readonly number[] {
    const { jobManager, taskManagers } = this.processes;
    return [jobManager, ...taskManagers].filter(lives).map(({ child }) => child.pid!);
  }
  async busyTaskManager(): Promise<number> {
    const client = await this.processes.client();
    try {
      const { taskManagers } = await client.ask("overview", undefined);
      return taskManagers.find(({ freeSlots }) => freeSlots === 0)!.processId;
    } finally {
      client.close();
    }
  }
  /** Resolves when the processes that were started see each other, and no slot is in use. */
  async idle(): Promise<void> {
    while ([...(await freeSlots(this.restUrl)).values()].some((free) => free === 0)) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  stop(): Promise<void> {
    return this.processes.stop();
  }
}

function lives({ child }: ClusterProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
