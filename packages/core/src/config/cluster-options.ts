import { configOption, type ConfigOption } from "./config-option.js";

/** Options of cluster processes, under Flink's keys where Flink has them. Jobs cannot set them. */
export const JOBMANAGER_RPC_ADDRESS: ConfigOption<string> = configOption.string("jobmanager.rpc.address", "127.0.0.1", "Where TaskManagers and clients find the JobManager.");
export const JOBMANAGER_RPC_PORT: ConfigOption<number> = configOption.integer("jobmanager.rpc.port", 6123, "Port of the JobManager; 0 takes a free one.");
export const CLIENT_TIMEOUT: ConfigOption<number> = configOption.duration(
  "client.timeout", 60_000, "How long a command waits for a leading JobManager, when the configuration says how one is elected.");
export const JOBMANAGER_BIND_HOST: ConfigOption<string> = configOption.string(
  "jobmanager.bind-host", "127.0.0.1", "Address that the JobManager listens on; one that is not loopback needs `security.ssl.internal.enabled`.");
export const TASKMANAGER_HOST: ConfigOption<string | undefined> = configOption.optionalString(
  "taskmanager.host", undefined, "The name by which other TaskManagers reach the slots of this one; not set is taskmanager.bind-host, or the machine's name when that means all addresses.");
export const TASKMANAGER_BIND_HOST: ConfigOption<string> = configOption.string("taskmanager.bind-host", "127.0.0.1", "Address that the slots of a TaskManager listen on for each other; one that is not loopback needs `security.ssl.internal.enabled`.");
export const TASKMANAGER_DATA_PORT: ConfigOption<string> = configOption.ports(
  "taskmanager.data.port", "0", "Ports that the slots of a TaskManager listen on: a range with one for each slot and some to spare for those that are being replaced; 0 is any.");
export const INTERNAL_SSL: ConfigOption<boolean> = configOption.boolean(
  "security.ssl.internal.enabled", false, "Whether the processes of the cluster and its clients speak TLS with each other, and authenticate by certificate.");
export const INTERNAL_SSL_CERTIFICATE: ConfigOption<string | undefined> = configOption.optionalString(
  "security.ssl.internal.certificate", undefined, "PEM file with the certificate of this process, as `millrace cert NAME --internal` makes it.");
export const INTERNAL_SSL_KEY: ConfigOption<string | undefined> = configOption.optionalString("security.ssl.internal.key", undefined, "PEM file with the key of that certificate.");
export const INTERNAL_SSL_CA: ConfigOption<string | undefined> = configOption.optionalString(
  "security.ssl.internal.ca", undefined, "PEM file with the CA that signs the certificates of the cluster.");
export const TASKMANAGER_SLOTS: ConfigOption<number> = configOption.integer("taskmanager.numberOfTaskSlots", 1, "Slots of a TaskManager.");
export const TASKMANAGER_RESOURCE_ID: ConfigOption<string | undefined> = configOption.optionalString(
  "taskmanager.resource-id", undefined, "Name of a TaskManager; not set takes a random one.");
export const TASKMANAGER_REGISTRATION_TIMEOUT: ConfigOption<number> = configOption.duration(
  "taskmanager.registration.timeout", 300_000, "A TaskManager that finds no JobManager for so long ends itself.");
export const CLUSTER_EVENLY_SPREAD: ConfigOption<boolean> = configOption.boolean(
  "cluster.evenly-spread-out-slots", false, "Whether jobs are spread over all TaskManagers instead of filling one after the other.");
export const SLOT_REQUEST_TIMEOUT: ConfigOption<number> = configOption.duration(
  "slot.request.timeout", 300_000, "How long a job waits for its slots before it fails (and is restarted, as its restart strategy says).");
export const HEARTBEAT_INTERVAL: ConfigOption<number> = configOption.duration("heartbeat.interval", 10_000, "How often processes of a cluster show each other that they live; the JobManager's setting counts for all.");
export const HEARTBEAT_TIMEOUT: ConfigOption<number> = configOption.duration(
  "heartbeat.timeout", 50_000, "A process that was not heard of for so long counts as lost; one whose connection breaks is lost at once.");
export const JOB_STORE_EXPIRATION: ConfigOption<number> = configOption.duration("jobstore.expiration-time", 3_600_000, "How long the JobManager remembers a job that has ended.");
export const JOB_STORE_CAPACITY: ConfigOption<number> = configOption.integer("jobstore.max-capacity", 1000, "The most ended jobs that the JobManager remembers.");

export const clusterOptions: readonly ConfigOption<any>[] = [
  JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, CLIENT_TIMEOUT, JOBMANAGER_BIND_HOST, TASKMANAGER_HOST, TASKMANAGER_BIND_HOST, TASKMANAGER_SLOTS, TASKMANAGER_RESOURCE_ID,
  TASKMANAGER_REGISTRATION_TIMEOUT, CLUSTER_EVENLY_SPREAD, SLOT_REQUEST_TIMEOUT, HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, JOB_STORE_EXPIRATION, JOB_STORE_CAPACITY,
  TASKMANAGER_DATA_PORT, INTERNAL_SSL, INTERNAL_SSL_CERTIFICATE, INTERNAL_SSL_KEY, INTERNAL_SSL_CA,
];
