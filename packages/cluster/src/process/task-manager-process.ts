import { rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { availableParallelism, hostname, tmpdir, totalmem } from "node:os";
import { resolve } from "node:path";
import {
  SLOT_HEAP, SLOT_ISOLATION, TASKMANAGER_BIND_HOST, TASKMANAGER_DATA_PORT, TASKMANAGER_HOST,
  TASKMANAGER_REGISTRATION_TIMEOUT, TASKMANAGER_RESOURCE_ID, TASKMANAGER_SLOTS, TMP_DIRS, expandPorts, type Configuration, type LogSink, type MillraceError,
} from "@millrace/core";
import { WorkerSlotHost } from "../embedded/worker-slot-host.js";
import { ArtifactCache } from "../task-manager/artifact-cache.js";
import type { LogDirectory } from "../inspection/log-directory.js";
import { NodeProcessInspection } from "../inspection/node-process-inspection.js";
import { profilingsOf } from "../inspection/profilings.js";
import { reloadedCredentials, requireSafeBinding } from "../security/internal-tls.js";
import { TaskManager } from "../task-manager/task-manager.js";
import { leaderFinder } from "./leader-finder.js";
import { nodeClusterEnv } from "./node-cluster-env.js";
import { processLog } from "./process-log.js";

export interface TaskManagerProcessOptions {
  readonly config: Configuration;
  /** The bundled library of this installation, if there is one, and the module that stands for `millrace` otherwise. */
  readonly library: { readonly millrace: string; readonly slot: string } | undefined;
  readonly libraryUrl: string;
  readonly log?: LogSink;
  /** What is shown as this process's log. */
  readonly logs?: LogDirectory | undefined;
  readonly fatal: (error: MillraceError) => void;
  readonly onRegistered?: () => void;
}

const LOAD_TIMEOUT_MS = 60_000;
/** Nobody can connect to these. */
const EVERY_ADDRESS = ["0.0.0.0", "::"];

/** Packages of the library are installed beside each other. */
function installedPackage(specifier: string): string | undefined {
  try {
    return import.meta.resolve(specifier);
  } catch {
    return undefined;
  }
}

/** Starts a TaskManager in this process. @throws `BIND_NOT_LOOPBACK`, `TLS_FILE_UNREADABLE`, `TLS_CERTIFICATE_UNUSABLE` */
export async function startTaskManager(options: TaskManagerProcessOptions): Promise<Pick<TaskManager, "stop">> {
  const { config, library, libraryUrl, log = processLog, logs, fatal, onRegistered } = options;
  const dataHost = config.get(TASKMANAGER_BIND_HOST);
  const credentials = reloadedCredentials(config, log);
  requireSafeBinding(dataHost, TASKMANAGER_BIND_HOST, credentials);
  const env = nodeClusterEnv(log, credentials);
  const taskManagerId = config.get(TASKMANAGER_RESOURCE_ID) ?? `tm-${env.randomHex(4)}`;
  const directory = resolve(config.get(TMP_DIRS) ?? tmpdir(), `millrace-taskmanager-${env.randomHex(8)}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const numberOfSlots = config.get(TASKMANAGER_SLOTS);
  const leader = await leaderFinder(env, config);
  const slots = new WorkerSlotHost({
    numberOfSlots, heapBytes: config.get(SLOT_HEAP), library, loadTimeoutMs: LOAD_TIMEOUT_MS, credentials, log,
    kind: config.get(SLOT_ISOLATION) === "process" ? "process" : "thread", binding: { host: dataHost, ports: expandPorts(config.get(TASKMANAGER_DATA_PORT)) },
  });
  const inspection = new NodeProcessInspection({ logs, slots: () => slots.inspected(), profilings: profilingsOf(config, taskManagerId) });
  const taskManager = new TaskManager({
    env, fatal, ...(onRegistered === undefined ? {} : { onRegistered }),
    about: {
      taskManagerId, host: config.get(TASKMANAGER_HOST) ?? (EVERY_ADDRESS.includes(dataHost) ? hostname() : dataHost), numberOfSlots, processId: process.pid,
      hardware: { cpuCores: availableParallelism(), physicalMemoryBytes: totalmem(), heapBytes: numberOfSlots * config.get(SLOT_HEAP) },
    },
    findJobManager: async () => leader.find(),
    registrationTimeoutMs: config.get(TASKMANAGER_REGISTRATION_TIMEOUT),
    slots, inspection,
    temporaryDirectory: `${directory}/slots`,
    artifacts: new ArtifactCache(env, directory, library?.millrace ?? libraryUrl, installedPackage),
  });
  taskManager.start();
  leader.onChange((fencingToken) => taskManager.leaderChanged(fencingToken));
  return {
    stop: async () => {
      await taskManager.stop();
      inspection.close();
      await leader.close();
      credentials?.close();
    },
  };
}
