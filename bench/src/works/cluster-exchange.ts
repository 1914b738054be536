import { flinkInCluster, millraceInCluster } from "../cluster/throughput-in-cluster.js";
import { loop } from "../contestants/loop.js";
import type { Work } from "../work.js";
import { throughputFigure } from "./throughput.js";

const job = { job: "rebalance-100b", work: "rebalance-100b" };

export const work: Work = {
  name: "cluster-exchange",
  title: "rebalance-100b between two TaskManagers with a slot each: half of the records cross TCP",
  goal: "≥ 3 × Flink",
  full: { records: 20_000_000 },
  smoke: { records: 200_000 },
  contestants: () => [millraceInCluster(job), flinkInCluster(job), loop("rebalance-100b")],
  figures: (medians) => [throughputFigure(medians, 3)],
};
