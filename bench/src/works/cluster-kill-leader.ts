import { join } from "node:path";
import { LocalCluster, type JobManagerProcess } from "../../../e2e/cluster/processes.js";
import { allRunningSinceMs, until } from "../cluster/cluster.js";
import { measureInterruption, submitOurs } from "../cluster/interruption.js";
import { pinToCores } from "../cluster/processor-cores.js";
import { formatNumber } from "../report/table.js";
import type { Contestant, Sample, Work } from "../work.js";

const GOAL_SECONDS = 10;

/** Leader election through a directory. Flink would need a ZooKeeper. */
export const work: Work = {
  name: "cluster-kill-leader",
  title: "kill -9 of the leading JobManager of a job with 1 M keys and a checkpoint every 2 s, with a standby, default settings",
  goal: `new output within ${GOAL_SECONDS} s`,
  full: { keys: 1_000_000 },
  smoke: { keys: 10_000 },
  contestants: () => [leaderKilled],
  figures(medians) {
    const seconds = (medians.get("millrace")?.extras["backMs"] ?? Number.NaN) / 1000;
    return [{ what: "kill to first new output", millrace: formatNumber(seconds, "s"), flink: "", limit: "", ratio: "", goal: `≤ ${GOAL_SECONDS} s`, met: seconds <= GOAL_SECONDS }];
  },
};

const leaderKilled: Contestant = {
  name: "millrace",
  async run({ size }): Promise<Sample> {
    pinToCores();
    const processes = new LocalCluster((directory) => ({ "high-availability.type": "file", "high-availability.storageDir": join(directory, "ha") }));
    try {
      const jobManagers = [await processes.addJobManager(), await processes.addJobManager()];
      await Promise.all([processes.startTaskManager(), processes.startTaskManager()]);
      const leads = (one: JobManagerProcess): boolean => one.output().includes(" leads, at ");
      await until("a JobManager leads", () => jobManagers.some(leads));
      const leader = jobManagers.find(leads)!;
      const standby = jobManagers.find((one) => one !== leader)!;
      const cluster = {
        directory: processes.directory, restUrl: leader.restUrl, pids: () => [leader, standby, ...processes.taskManagers].filter(({ child }) => child.signalCode === null).map(({ child }) => child.pid!),
        busyTaskManager: () => Promise.reject(new Error("nobody asks")), stop: () => processes.stop(),
      };
      const addresses = jobManagers.map(({ port }) => `127.0.0.1:${port}`).join(",");
      return await measureInterruption({
        cluster, size, submit: (output) => submitOurs({ processes }, size, output, [], addresses),
        interrupt: async () => void leader.child.kill("SIGKILL"),
        recovered: async (jobId) => leads(standby) && (await allRunningSinceMs(standby.restUrl, jobId).catch(() => undefined)) !== undefined,
      });
    } finally {
      await processes.stop();
    }
  },
};
