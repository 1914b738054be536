import { FlinkCluster } from "../cluster/flink-cluster.js";
import { measureInterruption, submitFlink, submitOurs } from "../cluster/interruption.js";
import { OurCluster } from "../cluster/our-cluster.js";
import { rescale, type BenchCluster } from "../cluster/cluster.js";
import { formatNumber, formatRatio } from "../report/table.js";
import type { Contestant, Size, Work } from "../work.js";

const GOAL_SECONDS = 2;
/** Flink's adaptive scheduler would wait for 10 and 30 s before it begins. */
const AT_ONCE = {
  "jobmanager.scheduler": "adaptive", "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling": "0 s", "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout": "0 s",
  "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout": "0 s", "jobmanager.adaptive-scheduler.rescale-trigger.max-delay": "0 s",
};

export const work: Work = {
  name: "cluster-rescale",
  title: "a job with 1 M keys and a checkpoint every 2 s, rescaled from one slot to two in another TaskManager",
  goal: `≤ ${GOAL_SECONDS} s without output`,
  full: { keys: 1_000_000 },
  smoke: { keys: 10_000 },
  contestants: () => [
    rescaled("millrace", () => OurCluster.start(), (cluster, size, output) => submitOurs(cluster, size, output, ["jobmanager.scheduler=adaptive"])),
    { ...rescaled("flink", () => FlinkCluster.start({ config: AT_ONCE }), submitFlink), isFlink: true },
  ],
  figures(medians) {
    const seconds = (name: string): number => (medians.get(name)?.extras["silenceMs"] ?? Number.NaN) / 1000;
    return [{
      what: "longest time without output", millrace: formatNumber(seconds("millrace"), "s"), flink: formatNumber(seconds("flink"), "s"), limit: "", ratio: formatRatio(seconds("millrace") / seconds("flink")),
      goal: `≤ ${GOAL_SECONDS} s`, met: seconds("millrace") <= GOAL_SECONDS,
    }];
  },
};

function rescaled<C extends BenchCluster>(name: string, start: () => Promise<C>, submit: (cluster: C, size: Size, output: string) => Promise<string>): Contestant {
  return {
    name,
    async run({ size }) {
      const cluster = await start();
      try {
        return await measureInterruption({ cluster, size, submit: (output) => submit(cluster, size, output), interrupt: (jobId) => rescale(cluster.restUrl, jobId, 2) });
      } finally {
        await cluster.stop();
      }
    },
  };
}
