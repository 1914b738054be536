import {
  HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, HELD_RESULTS_MEMORY, JOBMANAGER_BIND_HOST, JOBMANAGER_RPC_PORT, JOB_STORE_CAPACITY, JOB_STORE_EXPIRATION, CLUSTER_EVENLY_SPREAD, MillraceError,
  SAVEPOINT_DIRECTORY, SLOT_REQUEST_TIMEOUT, schedulerOptions, type Configuration, type ConnectionPeer, type FileSystem,
} from "@millrace/core";
import { BlobStore, checkBlobKey } from "../blob/blob-store.js";
import { ResultRoom } from "../job-master/result-room.js";
import { ResourceManager } from "../resource-manager/resource-manager.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { MILLRACE_VERSION } from "../rpc/millrace-version.js";
import { unknownMethod, type RpcConnection } from "../rpc/rpc-connection.js";
import { RpcServer, type RpcHello, type RpcServerOptions } from "../rpc/rpc-endpoints.js";
import { requireInternal, roleOfPeer } from "../security/peer-roles.js";
import { SlotEventRouter } from "../scheduler/cluster-slots.js";
import type { TaskManagerAbout, ToJobManager } from "../task-manager/task-manager-protocol.js";
import type { RecoveryStores } from "../high-availability/high-availability-services.js";
import type { LeaderTerm } from "../high-availability/leader-term.js";
import type { ClusterOverview, JobManagerAbout } from "./client-protocol.js";
import { ClientSession } from "./client-session.js";
import { Dispatcher, checkpointDirectory } from "./dispatcher.js";
import { JobPersistence } from "./job-persistence.js";

export interface JobManagerInit {
  readonly env: ClusterEnv;
  readonly config: Configuration;
  /** Absolute directory for blobs and, unless a job names another, checkpoints. */
  readonly directory: string;
  /** Absolute directory of this process's temporary files; default: `tmp` below `directory`. */
  readonly temporaryDirectory?: string | undefined;
  /** Unique for each time that somebody becomes leader: what is sent by or to another leader has no effect. */
  readonly fencingToken: string;
  /** With high availability. */
  readonly leadership?: { readonly term: LeaderTerm; readonly stores: RecoveryStores } | undefined;
}

/** Host names and addresses are short; anything longer is not one. */
const MAX_NAME = 255;
const MAX_SLOTS = 32768;

/**
 * One leader: Dispatcher, ResourceManager and a JobMaster per job, behind one RPC port for TaskManagers and clients.
 * Ends with its leadership; the next leader is another object, with another token.
 */
export class JobManager {
  readonly dispatcher: Dispatcher;
  readonly resources: ResourceManager;
  readonly blobs: BlobStore;
  readonly #init: JobManagerInit;
  readonly #events = new SlotEventRouter();
  #server: RpcServer | undefined;

  private constructor(init: JobManagerInit) {
    const { env, config, directory, leadership } = init;
    this.#init = init;
    const defaultCheckpointDirectory = `${directory}/checkpoints`;
    this.blobs = new BlobStore(env, `${directory}/blobs`);
    this.resources = new ResourceManager({ env, slotRequestTimeoutMs: config.get(SLOT_REQUEST_TIMEOUT), spreadEvenly: config.get(CLUSTER_EVENLY_SPREAD) });
    this.dispatcher = new Dispatcher({
      env, resources: this.resources, events: this.#events, blobs: this.blobs, defaultCheckpointDirectory, temporaryDirectory: init.temporaryDirectory ?? `${directory}/tmp`, fencingToken: leadership?.term.fencingToken,
      jobDefaults: Object.fromEntries([...schedulerOptions, HELD_RESULTS_MEMORY].filter((option) => config.has(option)).map((option) => [option.key, config.get(option)])),
      resultRoom: ResultRoom.of(config),
      defaultSavepointDirectory: config.get(SAVEPOINT_DIRECTORY),
      endedJobs: { expirationMs: config.get(JOB_STORE_EXPIRATION), capacity: config.get(JOB_STORE_CAPACITY) },
      persistence: leadership === undefined ? undefined : new JobPersistence({
        env, ...leadership, checkpointDirectory: (jobGraph) => checkpointDirectory(env.fs, defaultCheckpointDirectory, jobGraph.config, jobGraph.jobId),
      }),
    });
  }

  /** The only JobManager, and so the leader, with a port of its own. @throws `ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE` */
  static async start(init: JobManagerInit): Promise<JobManager> {
    const jobManager = new JobManager(init);
    jobManager.#server = await listen(init.env, init.config, { token: init.fencingToken, accept: (hello, peer) => jobManager.accept(hello, peer) });
    return jobManager;
  }

  /** One of several that has been elected; whoever listens hands it what connects. It takes up the jobs of its predecessors before it resolves. */
  static async lead(init: JobManagerInit & { readonly leadership: NonNullable<JobManagerInit["leadership"]> }): Promise<JobManager> {
    const jobManager = new JobManager(init);
    await jobManager.dispatcher.recover();
    return jobManager;
  }

  /** Where checkpoints and savepoints are. */
  get fs(): FileSystem {
    return this.#init.env.fs;
  }

  /** Of one that listens itself. */
  get port(): number {
    return this.#server!.port;
  }

  overview(): ClusterOverview {
    return {
      version: MILLRACE_VERSION,
      taskManagers: this.resources.taskManagers.map(({ about: { taskManagerId, host, numberOfSlots, processId }, freeSlots }) => ({ taskManagerId, host, numberOfSlots, freeSlots, processId })),
      jobsRunning: this.dispatcher.list().filter(({ endTimeMs }) => endTimeMs === undefined).length,
    };
  }

  /** Cancels all jobs, then leaves. */
  async stop(): Promise<void> {
    await this.dispatcher.stop();
    await this.#server?.close();
  }

  /** No longer leads: lets go of all jobs, for the next leader. */
  suspend(): void {
    this.dispatcher.suspend();
  }

  /** Takes in a TaskManager or client. @throws `TASK_MANAGER_INVALID` */
  accept(hello: RpcHello, peer: ConnectionPeer | undefined): { readonly about: unknown; readonly welcomed: (connection: RpcConnection) => void } {
    if (hello.role === "client") {
      const about: JobManagerAbout = { highAvailability: this.#init.leadership !== undefined };
      return { about, welcomed: (connection) => void new ClientSession({ dispatcher: this.dispatcher, blobs: this.blobs, fs: this.fs, overview: () => this.overview(), role: roleOfPeer(peer) }, connection) };
    }
    requireInternal(peer, "a TaskManager");
    const about = checkAbout(hello.about);
    return { about: undefined, welcomed: (connection) => this.#welcome(about, connection, hello.version) };
  }

  #welcome(about: TaskManagerAbout, connection: RpcConnection, version: string): void {
    const registered = this.resources.register(about, connection, version);
    connection.handler = {
      request: (method, body) => {
        if (method !== "readBlob") throw unknownMethod(method);
        const { key, offset } = body as { readonly key: unknown; readonly offset: unknown };
        return this.blobs.readPiece(checkBlobKey(key), Number(offset));
      },
      tell: (method, body) => {
        if (method === "leaving") this.resources.unregister(registered, new MillraceError({ code: "TASK_MANAGER_LOST", message: "it was stopped", recovery: "restart" }));
        if (method !== "event") return;
        const { allocationId, slotIndex, event } = body as ToJobManager["event"];
        this.#events.route(allocationId, slotIndex, event);
      },
      lost: (error) => this.resources.unregister(registered, error),
      refused: (method, error) => this.#init.env.log.write("warn", `"${method}" was refused by TaskManager ${about.taskManagerId}: ${error.message}`),
    };
  }
}

/** Opens the RPC port of a JobManager. @throws `ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE` */
export function listen(env: ClusterEnv, config: Configuration, options: Pick<RpcServerOptions, "token" | "accept">): Promise<RpcServer> {
  return RpcServer.listen({
    env, host: config.get(JOBMANAGER_BIND_HOST), port: config.get(JOBMANAGER_RPC_PORT),
    heartbeat: { intervalMs: config.get(HEARTBEAT_INTERVAL), timeoutMs: config.get(HEARTBEAT_TIMEOUT) },
    get token() {
      return options.token;
    },
    accept: options.accept,
  });
}

/** @throws `TASK_MANAGER_INVALID` */
function checkAbout(value: unknown): TaskManagerAbout {
  const about = value as Partial<TaskManagerAbout> | null | undefined;
  const isName = (text: unknown): boolean => typeof text === "string" && text !== "" && text.length <= MAX_NAME;
  const slots = about?.numberOfSlots;
  const isAmount = (amount: unknown): boolean => Number.isFinite(amount) && (amount as number) >= 0;
  const isHardware = isAmount(about?.hardware?.cpuCores) && isAmount(about?.hardware?.physicalMemoryBytes) && isAmount(about?.hardware?.heapBytes);
  if (isName(about?.taskManagerId) && isName(about?.host) && Number.isInteger(slots) && slots! >= 1 && slots! <= MAX_SLOTS && Number.isInteger(about?.processId) && isHardware) return about as TaskManagerAbout;
  throw new MillraceError({ code: "TASK_MANAGER_INVALID", message: "a TaskManager introduced itself without a name, an address, its hardware or a number of slots", hint: "taskmanager.numberOfTaskSlots is at least 1" });
}
