import { flinkInCluster, millraceInCluster } from "../cluster/throughput-in-cluster.js";
import { loopbackTcp } from "../contestants/loop.js";
import { BLOCK_BYTES } from "../data/blocks.js";
import { formatNumber, formatRatio } from "../report/table.js";
import type { Work } from "../work.js";

const GOAL = 0.5;
const job = { job: "exchange-bytes", work: "exchange-bytes" };

/** Records of 32 KiB, which is the size of Flink's buffers; ours hold some of them. Without a prelude: the second slot has no source that would wait for its own. */
export const work: Work = {
  name: "cluster-exchange-bytes",
  title: "records of 32 KiB from one TaskManager to another, beside raw sockets between two processes of Node",
  goal: `≥ ${GOAL} × raw loopback TCP`,
  full: { records: 200_000, prelude: 0 },
  smoke: { records: 5_000, prelude: 0 },
  contestants: () => [millraceInCluster(job), flinkInCluster(job), loopbackTcp],
  figures(medians) {
    const gigabytes = (name: string): number => ((medians.get(name)?.recordsPerSecond ?? Number.NaN) * BLOCK_BYTES) / 1e9;
    const share = gigabytes("millrace") / gigabytes("loop");
    return [{
      what: "GB/s, beside raw TCP", millrace: formatNumber(gigabytes("millrace"), "GB"), flink: formatNumber(gigabytes("flink"), "GB"), limit: formatNumber(gigabytes("loop"), "GB"),
      ratio: formatRatio(share), goal: `≥ ${GOAL} ×`, met: share >= GOAL,
    }];
  },
};
