import type { Work } from "../work.js";
import { work as checkpointCost } from "./checkpoint-cost.js";
import { work as clusterExchange } from "./cluster-exchange.js";
import { work as clusterExchangeBytes } from "./cluster-exchange-bytes.js";
import { work as clusterIdle } from "./cluster-idle.js";
import { work as clusterKeyedTumbling } from "./cluster-keyed-tumbling.js";
import { work as clusterKillLeader } from "./cluster-kill-leader.js";
import { work as clusterKillTaskManager } from "./cluster-kill-task-manager.js";
import { work as clusterRescale } from "./cluster-rescale.js";
import { work as clusterSubmit } from "./cluster-submit.js";
import { work as coldStart } from "./cold-start.js";
import { work as handWrittenKeyedLoop } from "./hand-written-keyed-loop.js";
import { work as intervalJoin } from "./interval-join.js";
import { work as keyedTumbling100k } from "./keyed-tumbling-100k.js";
import { work as keyedTumbling1m } from "./keyed-tumbling-1m.js";
import { kafka100, kafka1000 } from "./kafka-count.js";
import { work as kafkaCopy } from "./kafka-copy.js";
import { work as memory } from "./memory.js";
import { work as parquetScan } from "./parquet-scan.js";
import { upserts as postgresUpserts, work as postgresRows } from "./postgres-rows.js";
import { work as processTimers } from "./process-timers.js";
import { work as rebalance100b } from "./rebalance-100b.js";
import { csvRows, jsonRows } from "./rows.js";
import { work as session } from "./session.js";
import { work as simulation } from "./simulation.js";
import { work as sliding60to1 } from "./sliding-60-1.js";
import { work as statelessChain } from "./stateless-chain.js";
import { work as windowLatency } from "./window-latency.js";
import { work as wordCountFile } from "./word-count-file.js";

/** In the order of the table. */
export const works: readonly Work[] = [
  statelessChain, keyedTumbling100k, keyedTumbling1m, handWrittenKeyedLoop, sliding60to1, session, intervalJoin, processTimers, wordCountFile, rebalance100b,
  windowLatency, coldStart, memory, checkpointCost,
  csvRows, jsonRows, parquetScan, postgresRows, postgresUpserts, kafka100, kafka1000, kafkaCopy,
  clusterExchange, clusterExchangeBytes, clusterKeyedTumbling, clusterSubmit, clusterKillTaskManager, clusterKillLeader, clusterRescale, clusterIdle, simulation,
];
