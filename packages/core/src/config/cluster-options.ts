import { configOption, type ConfigOption } from "./config-option.js";

/** Options of the processes of a cluster, under Flink's keys. */
export const JOBMANAGER_RPC_ADDRESS: ConfigOption<string> = configOption.string(
  "jobmanager.rpc.address", "localhost", "Where TaskManagers reach the JobManager; with high availability they ask for the leader instead.");
export const JOBMANAGER_RPC_PORT: ConfigOption<number> = configOption.port(
  "jobmanager.rpc.port", 6123, "The JobManager's port for TaskManagers.");
export const JOBMANAGER_BIND_HOST: ConfigOption<string> = configOption.string(
  "jobmanager.bind-host", "localhost", "The network interface the JobManager listens on.");
export const FAILOVER_STRATEGY: ConfigOption<"region" | "full"> = configOption.oneOf(["region", "full"])(
  "jobmanager.execution.failover-strategy", "region", "What restarts when a task fails: the tasks that exchange records with it, or all.");
export const SCHEDULER: ConfigOption<"Default" | "Adaptive"> = configOption.oneOf(["Default", "Adaptive"])(
  "jobmanager.scheduler", "Default", "Adaptive runs a job with the slots there are and rescales when they come and go.");
export const EXCEPTION_HISTORY_SIZE: ConfigOption<number> = configOption.positiveInteger(
  "web.exception-history-size", 16, "Failures kept for each job.");

export const TASKMANAGER_HOST: ConfigOption<string | undefined> = configOption.optionalString(
  "taskmanager.host", undefined, "The name by which other processes reach this TaskManager; not set is the one it reaches the JobManager with.");
export const TASKMANAGER_BIND_HOST: ConfigOption<string> = configOption.string(
  "taskmanager.bind-host", "localhost", "The network interface the TaskManager listens on.");
export const TASKMANAGER_RPC_PORT: ConfigOption<number> = configOption.port("taskmanager.rpc.port", 0, "The TaskManager's port for the JobManager; 0 takes any.");
export const TASKMANAGER_DATA_PORT: ConfigOption<number> = configOption.port("taskmanager.data.port", 0, "The port for records from other TaskManagers; 0 takes any.");
export const TASKMANAGER_SLOTS: ConfigOption<number> = configOption.positiveInteger("taskmanager.numberOfTaskSlots", 1, "Slots of a TaskManager.");
export const TASKMANAGER_RESOURCE_ID: ConfigOption<string | undefined> = configOption.optionalString(
  "taskmanager.resource-id", undefined, "The TaskManager's name in the cluster; not set makes one up at each start.");
export const TASKMANAGER_REGISTRATION_TIMEOUT: ConfigOption<number> = configOption.duration(
  "taskmanager.registration.timeout", 300_000, "How long a TaskManager looks for a JobManager before it ends itself.");

export const REST_ADDRESS: ConfigOption<string | undefined> = configOption.optionalString(
  "rest.address", undefined, "Where clients reach the REST server; not set is jobmanager.rpc.address.");
export const REST_PORT: ConfigOption<number> = configOption.port("rest.port", 8081, "The port clients use for the REST server.");
export const REST_BIND_ADDRESS: ConfigOption<string> = configOption.string(
  "rest.bind-address", "localhost", "The network interface the REST server listens on; another than loopback needs TLS and authentication.");
export const REST_BIND_PORT: ConfigOption<string | undefined> = configOption.optionalString(
  "rest.bind-port", undefined, "Port or range (`8081-8090`, the first free one) the REST server listens on; not set is rest.port.");

export const HEARTBEAT_INTERVAL: ConfigOption<number> = configOption.duration("heartbeat.interval", 10_000, "Time between heartbeats of two processes.");
export const HEARTBEAT_TIMEOUT: ConfigOption<number> = configOption.duration("heartbeat.timeout", 50_000, "Silence after which the other process counts as dead.");
export const HEARTBEAT_RPC_FAILURES: ConfigOption<number> = configOption.integer(
  "heartbeat.rpc-failure-threshold", 2, "Heartbeats in a row that cannot be sent before the other process counts as dead; -1 waits for the timeout.");

export const SLOT_REQUEST_TIMEOUT: ConfigOption<number> = configOption.duration("slot.request.timeout", 300_000, "How long a job waits for slots before it fails.");
export const SLOT_IDLE_TIMEOUT: ConfigOption<number> = configOption.duration("slot.idle.timeout", 50_000, "How long a job keeps a slot it does not use.");
export const CLUSTER_EVENLY_SPREAD: ConfigOption<boolean> = configOption.boolean(
  "cluster.evenly-spread-out-slots", false, "Whether jobs are spread over all TaskManagers instead of filling one after the other.");
export const CLUSTER_ID: ConfigOption<string | undefined> = configOption.optionalString("cluster.id", undefined, "A name for this cluster in logs and the dashboard.");
export const CLUSTER_SERVICES_TIMEOUT: ConfigOption<number> = configOption.duration(
  "cluster.services.shutdown-timeout", 30_000, "How long a process may take to shut down in order.");

export const BLOB_STORAGE_DIRECTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "blob.storage.directory", undefined, "Local directory for job artifacts; not set is a temporary one.");
export const BLOB_SERVER_PORT: ConfigOption<number> = configOption.port("blob.server.port", 0, "The port TaskManagers fetch artifacts from; 0 takes any.");
export const BLOB_MAX_SIZE: ConfigOption<number> = configOption.memorySize("blob.max-size", 512 * 1024 ** 2, "The largest artifact that is accepted.");

/** Every option above. */
export const clusterOptions: readonly ConfigOption<any>[] = [
  JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, JOBMANAGER_BIND_HOST, FAILOVER_STRATEGY, SCHEDULER, EXCEPTION_HISTORY_SIZE,
  TASKMANAGER_HOST, TASKMANAGER_BIND_HOST, TASKMANAGER_RPC_PORT, TASKMANAGER_DATA_PORT, TASKMANAGER_SLOTS, TASKMANAGER_RESOURCE_ID, TASKMANAGER_REGISTRATION_TIMEOUT,
  REST_ADDRESS, REST_PORT, REST_BIND_ADDRESS, REST_BIND_PORT, HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, HEARTBEAT_RPC_FAILURES,
  SLOT_REQUEST_TIMEOUT, SLOT_IDLE_TIMEOUT, CLUSTER_EVENLY_SPREAD, CLUSTER_ID, CLUSTER_SERVICES_TIMEOUT,
  BLOB_STORAGE_DIRECTORY, BLOB_SERVER_PORT, BLOB_MAX_SIZE,
];
