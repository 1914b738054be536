import { createHash, randomBytes } from "node:crypto";
import type { LogSink } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import type { ClusterEnv } from "../rpc/cluster-env.js";

/** The real world for a cluster process. */
export function nodeClusterEnv(log: LogSink): ClusterEnv {
  return {
    ...createNodeEnv(), log,
    randomHex: (bytes) => randomBytes(bytes).toString("hex"),
    sha256Hex: (bytes) => createHash("sha256").update(bytes).digest("hex"),
  };
}
