import { CLIENT_TIMEOUT, HA_TYPE, JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, MillraceError, isMillraceError, type Configuration } from "@millrace/core";
import { ClusterClient, consoleLog, leaderFinder, nodeClusterEnv, parseAddress, reloadedCredentials, type ClusterClientOptions, type RpcAddress } from "@millrace/cluster/client";
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

/** Which cluster a command is for. */
export interface ClusterRequest {
  /** `HOST:PORT`; of several JobManagers, `HOST:PORT,HOST:PORT`. Without it, what the configuration names. */
  readonly jobManager?: string | undefined;
  /** `-D`; wins over the rest of the configuration. */
  readonly define?: Readonly<Record<string, string>>;
  readonly configDir?: string | undefined;
}

const RETRY_MS = 100;

/**
 * Connects to the JobManager at `HOST:PORT`; of several, to whichever leads. Without an address: to the one that the configuration names, or, with high
 * availability, to whoever has been elected; `client.timeout` is how long that is waited for. With TLS where the configuration says so.
 * @throws `CONNECTION_FAILED`, `LEADER_UNKNOWN`, `JOB_MANAGER_STANDBY`, `RPC_NOT_MILLRACE`, `RPC_MILLRACE_VERSION`, `TLS_HANDSHAKE_FAILED`,
 * `TLS_FILE_UNREADABLE`, `TLS_CERTIFICATE_UNUSABLE`, `HA_OPTION_MISSING`, `HA_PACKAGE_MISSING`
 */
export async function connectCluster({ jobManager, define = {}, configDir }: ClusterRequest): Promise<ClusterClient> {
  const config = await processConfig({ define, configDir });
  const env = nodeClusterEnv(consoleLog, reloadedCredentials(config, consoleLog));
  if (jobManager !== undefined || config.get(HA_TYPE) === "NONE") {
    const addresses = parseAddresses(jobManager, config);
    return ClusterClient.connect({ env, jobManagers: () => addresses });
  }
  const leader = await leaderFinder(env, config);
  try {
    return await firstLeader({ env, jobManagers: () => [leader.find()], onClose: () => void leader.close() }, config.get(CLIENT_TIMEOUT));
  } catch (error) {
    await leader.close();
    throw error;
  }
}

/** Until there is one, who led last may be named, and not answer, or say that it does not. */
async function firstLeader(options: ClusterClientOptions, timeoutMs: number): Promise<ClusterClient> {
  const { clock, log } = options.env;
  const untilMs = clock.monotonicMs() + timeoutMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await ClusterClient.connect(options);
    } catch (error) {
      const passes = isMillraceError(error) && (error.recovery === "retry" || error.code === "CONNECTION_FAILED");
      if (!passes || clock.monotonicMs() >= untilMs) throw error;
      // One that is there is mostly known within a moment.
      if (!isFirst) log.write("debug", `no leader yet: ${error.message}`);
      await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve));
    }
  }
}
