import { JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, MillraceError } from "@millrace/core";
import { ClusterClient, nodeClusterEnv, parseAddress, type RpcAddress } from "@millrace/cluster/process";
import { consoleLog } from "@millrace/cluster/embedded";

/** Reads `HOST:PORT[,HOST:PORT…]`; without one, the default address. @throws `CONFIG_BAD_VALUE` */
export function parseAddresses(text: string | undefined): readonly [RpcAddress, ...RpcAddress[]] {
  if (text === undefined) return [{ host: JOBMANAGER_RPC_ADDRESS.defaultValue, port: JOBMANAGER_RPC_PORT.defaultValue }];
  const addresses = text.split(",").map((part) => {
    const address = parseAddress(part.trim());
    if (address !== undefined) return address;
    throw new MillraceError({ code: "CONFIG_BAD_VALUE", message: `"${part}" is not the address of a JobManager`, hint: `write HOST:PORT, such as ${JOBMANAGER_RPC_ADDRESS.defaultValue}:${JOBMANAGER_RPC_PORT.defaultValue}; of several JobManagers, HOST:PORT,HOST:PORT` });
  });
  return addresses as [RpcAddress, ...RpcAddress[]];
}

/** Connects to the JobManager at `HOST:PORT`; of several, `HOST:PORT,HOST:PORT`, to whichever leads. @throws `CONNECTION_FAILED`, `RPC_NOT_MILLRACE`, `RPC_MILLRACE_VERSION` */
export async function connectCluster(address: string | undefined): Promise<ClusterClient> {
  const [first, ...others] = parseAddresses(address);
  return ClusterClient.connect({ env: nodeClusterEnv(consoleLog), ...first, others });
}
