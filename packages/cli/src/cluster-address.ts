import { JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, MillraceError, type Configuration } from "@millrace/core";
import { ClusterClient, internalCredentials, nodeClusterEnv, parseAddress, type RpcAddress } from "@millrace/cluster/process";
import { consoleLog } from "@millrace/cluster/embedded";
import { processConfig } from "./process-config.js";

/** Reads `HOST:PORT[,HOST:PORT…]`; without one, the configured address. @throws `CONFIG_BAD_VALUE` */
export function parseAddresses(text: string | undefined, config: Configuration): readonly [RpcAddress, ...RpcAddress[]] {
  if (text === undefined) return [{ host: config.get(JOBMANAGER_RPC_ADDRESS), port: config.get(JOBMANAGER_RPC_PORT) }];
  const addresses = text.split(",").map((part) => {
    const address = parseAddress(part.trim());
    if (address !== undefined) return address;
    throw new MillraceError({ code: "CONFIG_BAD_VALUE", message: `"${part}" is not the address of a JobManager`, hint: `write HOST:PORT, such as ${JOBMANAGER_RPC_ADDRESS.defaultValue}:${JOBMANAGER_RPC_PORT.defaultValue}; of several JobManagers, HOST:PORT,HOST:PORT` });
  });
  return addresses as [RpcAddress, ...RpcAddress[]];
}

/**
 * Connects to the JobManager at `HOST:PORT`; of several, `HOST:PORT,HOST:PORT`, to whichever leads; with TLS where the configuration that
 * `MILLRACE_CONF_DIR` and the environment name says so.
 * @throws `CONNECTION_FAILED`, `RPC_NOT_MILLRACE`, `RPC_MILLRACE_VERSION`, `TLS_HANDSHAKE_FAILED`, `TLS_FILE_UNREADABLE`, `TLS_CERTIFICATE_UNUSABLE`
 */
export async function connectCluster(address: string | undefined): Promise<ClusterClient> {
  const config = await processConfig({ define: {} });
  const [first, ...others] = parseAddresses(address, config);
  return ClusterClient.connect({ env: nodeClusterEnv(consoleLog, internalCredentials(config)), ...first, others });
}
