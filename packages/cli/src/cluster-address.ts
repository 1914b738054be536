import { JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, MillraceError, type Configuration } from "@millrace/core";
import { ClusterClient, internalCredentials, nodeClusterEnv } from "@millrace/cluster/process";
import { consoleLog } from "@millrace/cluster/embedded";
import { processConfig } from "./process-config.js";

/** Reads `HOST:PORT`; without one, the configured address. @throws `CONFIG_BAD_VALUE` */
export function parseAddress(text: string | undefined, config: Configuration): { readonly host: string; readonly port: number } {
  if (text === undefined) return { host: config.get(JOBMANAGER_RPC_ADDRESS), port: config.get(JOBMANAGER_RPC_PORT) };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65535) {
    throw new MillraceError({ code: "CONFIG_BAD_VALUE", message: `"${text}" is not the address of a JobManager`, hint: `write HOST:PORT, such as ${JOBMANAGER_RPC_ADDRESS.defaultValue}:${JOBMANAGER_RPC_PORT.defaultValue}` });
  }
  return { host: (bracketed ?? plain)!, port };
}

/**
 * Connects to the JobManager at `HOST:PORT`, with TLS where the configuration that `MILLRACE_CONF_DIR` and the environment name says so.
 * @throws `CONNECTION_FAILED`, `RPC_NOT_MILLRACE`, `RPC_MILLRACE_VERSION`, `TLS_HANDSHAKE_FAILED`, `TLS_FILE_UNREADABLE`, `TLS_CERTIFICATE_UNUSABLE`
 */
export async function connectCluster(address: string | undefined): Promise<ClusterClient> {
  const config = await processConfig({ define: {} });
  return ClusterClient.connect({ env: nodeClusterEnv(consoleLog, internalCredentials(config)), ...parseAddress(address, config) });
}
