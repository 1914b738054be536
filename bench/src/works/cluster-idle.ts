import { FlinkCluster } from "../cluster/flink-cluster.js";
import { OurCluster } from "../cluster/our-cluster.js";
import type { BenchCluster } from "../cluster/cluster.js";
import { treeRssKb } from "../contestants/process-tree.js";
import { formatNumber, formatRatio } from "../report/table.js";
import type { Contestant, Work } from "../work.js";

const GOAL_MB = 300;
const IDLE_MS = { full: 5000, smoke: 100 };

export const work: Work = {
  name: "cluster-idle",
  title: "resident memory of an idle cluster: a JobManager and two TaskManagers with a slot each, default settings",
  goal: `≤ ${GOAL_MB} MB`,
  full: {},
  smoke: {},
  contestants: () => [idle("millrace", () => OurCluster.start()), { ...idle("flink", () => FlinkCluster.start()), isFlink: true }],
  figures(medians) {
    const of = (name: string): number => medians.get(name)?.extras["idleMb"] ?? Number.NaN;
    return [{
      what: "RSS of 1 + 2 processes", millrace: formatNumber(of("millrace"), "MB", 0), flink: formatNumber(of("flink"), "MB", 0), limit: "",
      ratio: formatRatio(of("millrace") / of("flink")), goal: `≤ ${GOAL_MB} MB`, met: of("millrace") <= GOAL_MB,
    }];
  },
};

function idle(name: string, start: () => Promise<BenchCluster>): Contestant {
  return {
    name,
    async run({ size }) {
      const startMs = performance.now();
      const cluster = await start();
      try {
        const seconds = (performance.now() - startMs) / 1000;
        await new Promise((resolve) => setTimeout(resolve, size.smoke ? IDLE_MS.smoke : IDLE_MS.full));
        const rssKb = cluster.pids().reduce((sum, pid) => sum + treeRssKb(pid), 0);
        return { records: 0, seconds, cpuSeconds: Number.NaN, peakRssKb: rssKb, outputs: 0, checksum: 0, extras: { idleMb: rssKb / 1024 } };
      } finally {
        await cluster.stop();
      }
    },
  };
}
