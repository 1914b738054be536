import { MillraceError, isMillraceError } from "@millrace/core";
import { connectRpc, type RpcClientOptions } from "./rpc-endpoints.js";
import type { RpcConnection } from "./rpc-connection.js";
import { formatAddress, leaderOfRefusal, type RpcAddress } from "./standby-refusal.js";

/** Where a JobManager is, and, when an election told, the token it leads under. */
export interface JobManagerLocation extends RpcAddress {
  /** With high availability: who answers there under another token is not the leader. */
  readonly fencingToken?: number | undefined;
}

/** A connection to the leader, and what it says of itself. */
export interface LeaderConnection {
  readonly connection: RpcConnection;
  readonly about: unknown;
}

/**
 * Connects to whichever of these JobManagers leads, or to the leader that one of them names. All are asked at once, since one that hangs answers nobody.
 * @throws what the first of them answered that is more than that nobody is there, or that it is a standby without a leader; else `JOB_MANAGER_STANDBY`
 * or `CONNECTION_FAILED`
 */
export async function connectToLeader(options: Omit<RpcClientOptions, "host" | "port">, addresses: readonly JobManagerLocation[]): Promise<LeaderConnection> {
  let found: LeaderConnection | undefined;
  const errors: unknown[] = [];
  await new Promise<void>((resolve) => {
    let open = addresses.length;
    for (const address of addresses) {
      void ask(options, address).then((leader) => {
        if (found !== undefined) return leader.connection.close();
        found = leader;
        resolve();
      }, (error: unknown) => void errors.push(error)).finally(() => {
        if (--open === 0) resolve();
      });
    }
  });
  if (found !== undefined) return found;
  const weight = (error: unknown): number => (isMillraceError(error) && error.code === "CONNECTION_FAILED" ? 0 : leaderOfRefusal(error) !== undefined ? 1 : 2);
  throw errors.sort((a, b) => weight(b) - weight(a))[0] ?? new MillraceError({ code: "CONNECTION_FAILED", message: "no JobManager was given to connect to", recovery: "retry" });
}

async function ask(options: Omit<RpcClientOptions, "host" | "port">, { fencingToken, ...address }: JobManagerLocation): Promise<LeaderConnection> {
  try {
    const leader = await connectRpc({ ...options, ...address });
    if (fencingToken === undefined || leader.connection.token === String(fencingToken)) return leader;
    leader.connection.close();
    throw new MillraceError({
      code: "RPC_FENCING_TOKEN", recovery: "retry", message: `${formatAddress(address)} answers with fencing token ${leader.connection.token}, but the leader has ${fencingToken}`,
    });
  } catch (error) {
    const leader = leaderOfRefusal(error)?.leader;
    if (leader === undefined) throw error;
    return connectRpc({ ...options, ...leader });
  }
}
