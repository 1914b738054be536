import { HA_TYPE, JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, MillraceError, type Configuration } from "@millrace/core";
import { RPC_COMPONENT } from "../high-availability/leader-components.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import type { JobManagerLocation } from "../rpc/connect-to-leader.js";
import { parseAddress } from "../rpc/standby-refusal.js";
import { nodeClusterEnv } from "./node-cluster-env.js";

/** Finds the leading JobManager: where the configuration says, or, with high availability, whoever has been elected. */
export interface LeaderFinder {
  /** @throws `LEADER_UNKNOWN` while there is none */
  find(): JobManagerLocation;
  onChange(listener: (fencingToken: number) => void): void;
  close(): Promise<void>;
}

/**
 * What a TaskManager and a client find the leader by. The package of a coordination service is loaded only when the configuration names one.
 * @throws `HA_OPTION_MISSING`, `CONFIG_BAD_VALUE`, `HA_PACKAGE_MISSING`
 */
export async function leaderFinder(env: Pick<ClusterEnv, "log">, config: Configuration): Promise<LeaderFinder> {
  if (config.get(HA_TYPE) === "NONE") {
    const location = { host: config.get(JOBMANAGER_RPC_ADDRESS), port: config.get(JOBMANAGER_RPC_PORT) };
    return { find: () => location, onChange: () => undefined, close: async () => undefined };
  }
  const { highAvailabilityOf } = await import("./high-availability.js");
  const { services } = await highAvailabilityOf(nodeClusterEnv(env.log), config);
  const retrieval = services.leaderRetrieval(RPC_COMPONENT);
  let known: JobManagerLocation | undefined;
  let changed: (fencingToken: number) => void = () => undefined;
  retrieval.start((leader) => {
    const address = parseAddress(leader?.address ?? "");
    known = address === undefined ? undefined : { ...address, fencingToken: leader!.fencingToken };
    if (known?.fencingToken !== undefined) changed(known.fencingToken);
  });
  return {
    find: () => {
      if (known !== undefined) return known;
      throw new MillraceError({ code: "LEADER_UNKNOWN", message: "no JobManager has been elected yet", recovery: "retry" });
    },
    onChange: (listener) => (changed = listener),
    close: async () => {
      retrieval.close();
      await services.close();
    },
  };
}
