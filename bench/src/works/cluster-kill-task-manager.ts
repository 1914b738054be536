import { FlinkCluster } from "../cluster/flink-cluster.js";
import { measureInterruption, submitFlink, submitOurs } from "../cluster/interruption.js";
import { OurCluster } from "../cluster/our-cluster.js";
import type { BenchCluster } from "../cluster/cluster.js";
import { formatNumber, formatRatio } from "../report/table.js";
import type { Contestant, Size, Work } from "../work.js";

const GOAL_SECONDS = 5;

export const work: Work = {
  name: "cluster-kill-task-manager",
  title: "kill -9 of the TaskManager of a job with 1 M keys and a checkpoint every 2 s, a slot free elsewhere, default settings",
  goal: `new output within ${GOAL_SECONDS} s`,
  full: { keys: 1_000_000 },
  smoke: { keys: 10_000 },
  contestants: () => [
    killed("millrace", () => OurCluster.start(), submitOurs),
    { ...killed("flink", () => FlinkCluster.start(), submitFlink), isFlink: true },
  ],
  figures(medians) {
    const seconds = (name: string): number => (medians.get(name)?.extras["backMs"] ?? Number.NaN) / 1000;
    return [{
      what: "kill to first new output", millrace: formatNumber(seconds("millrace"), "s"), flink: formatNumber(seconds("flink"), "s"), limit: "", ratio: formatRatio(seconds("millrace") / seconds("flink")),
      goal: `≤ ${GOAL_SECONDS} s`, met: seconds("millrace") <= GOAL_SECONDS,
    }];
  },
};

function killed<C extends BenchCluster>(name: string, start: () => Promise<C>, submit: (cluster: C, size: Size, output: string) => Promise<string>): Contestant {
  return {
    name,
    async run({ size }) {
      const cluster = await start();
      try {
        return await measureInterruption({
          cluster, size, submit: (output) => submit(cluster, size, output),
          interrupt: async () => void process.kill(await cluster.busyTaskManager(), "SIGKILL"),
        });
      } finally {
        await cluster.stop();
      }
    },
  };
}
