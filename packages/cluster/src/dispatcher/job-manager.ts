import {
  HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, JOBMANAGER_BIND_HOST, JOBMANAGER_RPC_PORT, JOB_STORE_CAPACITY, JOB_STORE_EXPIRATION, CLUSTER_EVENLY_SPREAD, MillraceError,
  SAVEPOINT_DIRECTORY, SLOT_REQUEST_TIMEOUT, type Configuration, type FileSystem,
} from "@millrace/core";
import { BlobStore, checkBlobKey } from "../blob/blob-store.js";
import { ResourceManager } from "../resource-manager/resource-manager.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { MILLRACE_VERSION } from "../rpc/millrace-version.js";
import { unknownMethod, type RpcConnection } from "../rpc/rpc-connection.js";
import { RpcServer, type RpcHello } from "../rpc/rpc-endpoints.js";
import { SlotEventRouter } from "../scheduler/cluster-slots.js";
import type { TaskManagerAbout, ToJobManager } from "../task-manager/task-manager-protocol.js";
import type { ClusterOverview } from "./client-protocol.js";
import { ClientSession } from "./client-session.js";
import { Dispatcher } from "./dispatcher.js";

export interface JobManagerInit {
  readonly env: ClusterEnv;
  readonly config: Configuration;
  /** Absolute directory for blobs and, unless a job names another, checkpoints. */
  readonly directory: string;
  /** Unique for each time that somebody becomes leader: what is sent by or to another leader has no effect. */
  readonly fencingToken: string;
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
    const { env, config, directory } = init;
    this.#init = init;
    this.blobs = new BlobStore(env, `${directory}/blobs`);
    this.resources = new ResourceManager({ env, slotRequestTimeoutMs: config.get(SLOT_REQUEST_TIMEOUT), spreadEvenly: config.get(CLUSTER_EVENLY_SPREAD) });
    this.dispatcher = new Dispatcher({
      env, resources: this.resources, events: this.#events, blobs: this.blobs, defaultCheckpointDirectory: `${directory}/checkpoints`, defaultSavepointDirectory: config.get(SAVEPOINT_DIRECTORY),
      endedJobs: { expirationMs: config.get(JOB_STORE_EXPIRATION), capacity: config.get(JOB_STORE_CAPACITY) },
    });
  }

  /** @throws `ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE` */
  static async start(init: JobManagerInit): Promise<JobManager> {
    const { env, config } = init;
    const jobManager = new JobManager(init);
    jobManager.#server = await RpcServer.listen({
      env, host: config.get(JOBMANAGER_BIND_HOST), port: config.get(JOBMANAGER_RPC_PORT), token: init.fencingToken,
      heartbeat: { intervalMs: config.get(HEARTBEAT_INTERVAL), timeoutMs: config.get(HEARTBEAT_TIMEOUT) },
      accept: (hello) => jobManager.#accept(hello),
    });
    return jobManager;
  }

  /** Where checkpoints and savepoints are. */
  get fs(): FileSystem {
    return this.#init.env.fs;
  }

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
    await this.#server!.close();
  }

  #accept(hello: RpcHello): { readonly about: unknown; readonly welcomed: (connection: RpcConnection) => void } {
    if (hello.role === "client") {
      return { about: undefined, welcomed: (connection) => void new ClientSession({ dispatcher: this.dispatcher, blobs: this.blobs, fs: this.fs, overview: () => this.overview() }, connection) };
    }
    const about = checkAbout(hello.about);
    return { about: undefined, welcomed: (connection) => this.#welcome(about, connection) };
  }

  #welcome(about: TaskManagerAbout, connection: RpcConnection): void {
    const registered = this.resources.register(about, connection);
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
