export { ClusterClient, type AttachedJob, type ClusterClientOptions } from "../dispatcher/cluster-client.js";
export { parseAddress, type RpcAddress } from "../rpc/standby-refusal.js";
export { leaderFinder, type LeaderFinder } from "../process/leader-finder.js";
export { nodeClusterEnv } from "../process/node-cluster-env.js";
export { processLog } from "../process/process-log.js";
export { reloadedCredentials } from "../security/internal-tls.js";
export { consoleLog } from "../embedded/console-log.js";
export * from "../config/load-configuration.js";
