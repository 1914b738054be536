import { rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import {
  HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, JOB_MANAGER_ADDRESS, JOB_MANAGER_PORT, NUMBER_OF_TASK_SLOTS, REGISTRATION_TIMEOUT, SLOT_HEAP, TASK_MANAGER_BIND_HOST,
  TASK_MANAGER_HOST, TASK_MANAGER_RESOURCE_ID, TEMPORARY_DIRECTORY, type Configuration, type LogSink, type MillraceError,
} from "@millrace/core";
import { WorkerSlotHost } from "../embedded/worker-slot-host.js";
import { ArtifactCache } from "../task-manager/artifact-cache.js";
import { TaskManager } from "../task-manager/task-manager.js";
import { requireLoopback } from "./loopback.js";
import { nodeClusterEnv } from "./node-cluster-env.js";
import { processLog } from "./process-log.js";

export interface TaskManagerProcessOptions {
  readonly config: Configuration;
  /** The bundled library of this installation, if there is one, and the module that stands for `millrace` otherwise. */
  readonly library: { readonly millrace: string; readonly slot: string } | undefined;
  readonly libraryUrl: string;
  readonly log?: LogSink;
  readonly fatal: (error: MillraceError) => void;
  readonly onRegistered?: () => void;
}

const LOAD_TIMEOUT_MS = 60_000;

/** Starts a TaskManager in this process. @throws `BIND_NOT_LOOPBACK` */
export async function startTaskManager(options: TaskManagerProcessOptions): Promise<TaskManager> {
  const { config, library, libraryUrl, log = processLog, fatal, onRegistered } = options;
  const dataHost = config.get(TASK_MANAGER_BIND_HOST);
  requireLoopback(dataHost, TASK_MANAGER_BIND_HOST);
  const env = nodeClusterEnv(log);
  const taskManagerId = config.get(TASK_MANAGER_RESOURCE_ID) ?? `tm-${env.randomHex(4)}`;
  const directory = resolve(config.get(TEMPORARY_DIRECTORY) ?? tmpdir(), `millrace-taskmanager-${env.randomHex(8)}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const numberOfSlots = config.get(NUMBER_OF_TASK_SLOTS);
  const taskManager = new TaskManager({
    env, fatal, ...(onRegistered === undefined ? {} : { onRegistered }),
    about: { taskManagerId, host: config.get(TASK_MANAGER_HOST), numberOfSlots, processId: process.pid },
    findJobManager: async () => ({ host: config.get(JOB_MANAGER_ADDRESS), port: config.get(JOB_MANAGER_PORT) }),
    heartbeat: { intervalMs: config.get(HEARTBEAT_INTERVAL), timeoutMs: config.get(HEARTBEAT_TIMEOUT) },
    registrationTimeoutMs: config.get(REGISTRATION_TIMEOUT),
    slots: new WorkerSlotHost({ numberOfSlots, heapBytes: config.get(SLOT_HEAP), dataHost, library, loadTimeoutMs: LOAD_TIMEOUT_MS }),
    artifacts: new ArtifactCache(env, directory, library?.millrace ?? libraryUrl),
  });
  taskManager.start();
  return taskManager;
}
