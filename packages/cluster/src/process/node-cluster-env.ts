import { createHash, randomBytes } from "node:crypto";
import type { LogSink } from "@millrace/core";
import { createNodeEnv, type CredentialSource, type PeerCredentials } from "@millrace/env-node";
import type { ClusterEnv } from "../rpc/cluster-env.js";

/** The real world for a cluster process. @param credentials with them its network speaks TLS, and only with other processes of the cluster */
export function nodeClusterEnv(log: LogSink, credentials?: PeerCredentials | CredentialSource): ClusterEnv {
  return {
    ...createNodeEnv(credentials), log,
    randomHex: (bytes) => randomBytes(bytes).toString("hex"),
    sha256Hex: (bytes) => createHash("sha256").update(bytes).digest("hex"),
  };
}
