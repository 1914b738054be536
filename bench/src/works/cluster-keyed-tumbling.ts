import { flinkInCluster, millraceInCluster } from "../cluster/throughput-in-cluster.js";
import { loop } from "../contestants/loop.js";
import type { Work } from "../work.js";
import { throughputFigure } from "./throughput.js";

const job = { job: "keyed-tumbling", work: "keyed-tumbling" };

export const work: Work = {
  name: "cluster-keyed-tumbling",
  title: "keyed-tumbling-100k on two TaskManagers with a slot each",
  goal: "≥ 3 × Flink",
  full: { records: 20_000_000, keys: 100_000 },
  smoke: { records: 100_000, keys: 20_000 },
  contestants: () => [millraceInCluster(job), flinkInCluster(job), loop("keyed-tumbling")],
  figures: (medians) => [throughputFigure(medians, 3)],
};
