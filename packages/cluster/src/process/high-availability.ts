import { hostname } from "node:os";
import { HA_CLUSTER_ID, HA_STORAGE_DIR, type Configuration } from "@millrace/core";
import { createHighAvailabilityServices, type HighAvailabilityInit } from "../high-availability/create-high-availability.js";
import type { HighAvailabilityServices } from "../high-availability/high-availability-services.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";

/**
 * The services that a configuration names which has a `high-availability.type`, and the directory that belongs to its cluster.
 * @throws `HA_OPTION_MISSING`, `CONFIG_BAD_VALUE`, `HA_PACKAGE_MISSING`
 */
export async function highAvailabilityOf(env: ClusterEnv, config: Configuration): Promise<{ readonly services: HighAvailabilityServices; readonly directory: string }> {
  const services = await createHighAvailabilityServices({
    env, config, contender: `${hostname()}, process ${process.pid}`,
    fixedAddress: () => "", temporaryDirectory: "",
    loadPackage: (name) => import(name) as ReturnType<HighAvailabilityInit["loadPackage"]>,
  });
  return { services, directory: `${env.fs.resolve(config.get(HA_STORAGE_DIR)!)}/${config.get(HA_CLUSTER_ID)}` };
}
