import { configOption, type ConfigOption } from "./config-option.js";
import type { Secret } from "./secret.js";

/** Options of high availability, under Flink's keys; those of `file` and of ZooKeeper's digest login are Millrace's own. */
export const HA_TYPE: ConfigOption<"NONE" | "file" | "filesystem" | "zookeeper"> = configOption.oneOf(["NONE", "file", "filesystem", "zookeeper"])(
  "high-availability.type", "NONE", "Who elects the leading JobManager and keeps what it must not forget: nobody, a shared directory (`file` and `filesystem` are the same), or ZooKeeper.");
export const HA_CLUSTER_ID: ConfigOption<string> = configOption.string(
  "high-availability.cluster-id", "default", "Tells clusters apart that share a ZooKeeper or a directory.");
export const HA_STORAGE_DIR: ConfigOption<string | undefined> = configOption.optionalString(
  "high-availability.storageDir", undefined, "Directory all JobManagers reach, for job graphs, artifacts, and, with `file`, for the lock; required with high availability.");
export const HA_FILE_LEASE_TIMEOUT: ConfigOption<number> = configOption.duration(
  "high-availability.file.lease-timeout", 5000, "How long the leader's lease may stand unrenewed before another JobManager takes over.");
export const HA_FILE_LEASE_INTERVAL: ConfigOption<number> = configOption.duration(
  "high-availability.file.lease-interval", 1000, "How often the leader renews its lease, and others look at it.");
export const HA_ZOOKEEPER_QUORUM: ConfigOption<string | undefined> = configOption.optionalString(
  "high-availability.zookeeper.quorum", undefined, "Servers of the ZooKeeper ensemble: `host:port,host:port`.");
export const HA_ZOOKEEPER_ROOT: ConfigOption<string> = configOption.string(
  "high-availability.zookeeper.path.root", "/millrace", "The node below which each cluster has its own.");
export const HA_ZOOKEEPER_SESSION_TIMEOUT: ConfigOption<number> = configOption.duration(
  "high-availability.zookeeper.client.session-timeout", 5000, "How long ZooKeeper waits for a silent JobManager before another is elected; the servers bound it.");
export const HA_ZOOKEEPER_CONNECTION_TIMEOUT: ConfigOption<number> = configOption.duration(
  "high-availability.zookeeper.client.connection-timeout", 15_000, "How long one server may take to accept a connection.");
export const HA_ZOOKEEPER_RETRY_WAIT: ConfigOption<number> = configOption.duration(
  "high-availability.zookeeper.client.retry-wait", 5000, "The longest pause before the next try, when no server could be reached.");
export const HA_ZOOKEEPER_MAX_RETRIES: ConfigOption<number> = configOption.positiveInteger(
  "high-availability.zookeeper.client.max-retry-attempts", 3, "Tries of an operation whose connection broke before it fails.");
export const HA_ZOOKEEPER_TOLERATE_SUSPENDED: ConfigOption<boolean> = configOption.boolean(
  "high-availability.zookeeper.client.tolerate-suspended-connections", false, "Whether a leader stays leader while its connection is broken and its session not yet expired.");
export const HA_ZOOKEEPER_AUTH: ConfigOption<Secret | undefined> = configOption.secret(
  "high-availability.zookeeper.client.digest-auth", undefined, "`user:password`: logs in to ZooKeeper, and only this user may touch the nodes.");

export const JOB_RESULT_STORE_PATH: ConfigOption<string | undefined> = configOption.optionalString(
  "job-result-store.storage-path", undefined, "Directory for the results of finished jobs; not set is `job-result-store/<cluster id>` below high-availability.storageDir.");
export const JOB_RESULT_STORE_DELETE: ConfigOption<boolean> = configOption.boolean(
  "job-result-store.delete-on-commit", false, "Whether a finished job's result is deleted once its remains are cleaned up; a job of the same id could then run again.");

/** Every option above. */
export const highAvailabilityOptions: readonly ConfigOption<any>[] = [
  HA_TYPE, HA_CLUSTER_ID, HA_STORAGE_DIR, HA_FILE_LEASE_TIMEOUT, HA_FILE_LEASE_INTERVAL,
  HA_ZOOKEEPER_QUORUM, HA_ZOOKEEPER_ROOT, HA_ZOOKEEPER_SESSION_TIMEOUT, HA_ZOOKEEPER_CONNECTION_TIMEOUT, HA_ZOOKEEPER_RETRY_WAIT,
  HA_ZOOKEEPER_MAX_RETRIES, HA_ZOOKEEPER_TOLERATE_SUSPENDED, HA_ZOOKEEPER_AUTH, JOB_RESULT_STORE_PATH, JOB_RESULT_STORE_DELETE,
];
