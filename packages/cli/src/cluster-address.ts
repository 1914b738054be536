import { JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, MillraceError } from "@millrace/core";
import { ClusterClient, nodeClusterEnv } from "@millrace/cluster/process";
import { consoleLog } from "@millrace/cluster/embedded";

/** Reads `HOST:PORT`; without one, the default address. @throws `CONFIG_BAD_VALUE` */
export function parseAddress(text: string | undefined): { readonly host: string; readonly port: number } {
  if (text === undefined) return { host: JOBMANAGER_RPC_ADDRESS.defaultValue, port: JOBMANAGER_RPC_PORT.defaultValue };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65535) {
    throw new MillraceError({ code: "CONFIG_BAD_VALUE", message: `"${text}" is not the address of a JobManager`, hint: `write HOST:PORT, such as ${JOBMANAGER_RPC_ADDRESS.defaultValue}:${JOBMANAGER_RPC_PORT.defaultValue}` });
  }
  return { host: (bracketed ?? plain)!, port };
}

/** Connects to the JobManager at `HOST:PORT`. @throws `CONNECTION_FAILED`, `RPC_NOT_MILLRACE`, `RPC_MILLRACE_VERSION` */
export function connectCluster(address: string | undefined): Promise<ClusterClient> {
  return ClusterClient.connect({ env: nodeClusterEnv(consoleLog), ...parseAddress(address) });
}
