import { configOption, type ConfigOption } from "./config-option.js";

/** Options of cluster processes, under Flink's keys where Flink has them. Jobs cannot set them. */
export const JOB_MANAGER_ADDRESS: ConfigOption<string> = configOption.string("jobmanager.rpc.address", "127.0.0.1", "Where TaskManagers and clients find the JobManager.");
export const JOB_MANAGER_PORT: ConfigOption<number> = configOption.integer("jobmanager.rpc.port", 6123, "Port of the JobManager; 0 takes a free one.");
export const JOB_MANAGER_BIND_HOST: ConfigOption<string> = configOption.string("jobmanager.bind-host", "127.0.0.1", "Address that the JobManager listens on.");
export const TASK_MANAGER_HOST: ConfigOption<string> = configOption.string("taskmanager.host", "127.0.0.1", "Where other TaskManagers find this one's slots.");
export const TASK_MANAGER_BIND_HOST: ConfigOption<string> = configOption.string("taskmanager.bind-host", "127.0.0.1", "Address that the slots of a TaskManager listen on for each other.");
export const NUMBER_OF_TASK_SLOTS: ConfigOption<number> = configOption.integer("taskmanager.numberOfTaskSlots", 1, "Slots of a TaskManager.");
export const TASK_MANAGER_RESOURCE_ID: ConfigOption<string | undefined> = configOption.optionalString(
  "taskmanager.resource-id", undefined, "Name of a TaskManager; not set takes a random one.");
export const REGISTRATION_TIMEOUT: ConfigOption<number> = configOption.duration(
  "taskmanager.registration.timeout", 300_000, "A TaskManager that finds no JobManager for so long ends itself.");
export const LOAD_BALANCE_MODE: ConfigOption<"NONE" | "SLOTS"> = configOption.oneOf(["NONE", "SLOTS"])(
  "taskmanager.load-balance.mode", "NONE", "SLOTS spreads the slots of jobs evenly over the TaskManagers; NONE fills one after the other.");
export const TEMPORARY_DIRECTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "io.tmp.dirs", undefined, "Directory for what a process keeps while it runs, artifacts of jobs among it; not set takes the system's.");
export const SLOT_REQUEST_TIMEOUT: ConfigOption<number> = configOption.duration(
  "slot.request.timeout", 300_000, "How long a job waits for its slots before it fails (and is restarted, as its restart strategy says).");
export const HEARTBEAT_INTERVAL: ConfigOption<number> = configOption.duration("heartbeat.interval", 10_000, "How often processes of a cluster show each other that they live.");
export const HEARTBEAT_TIMEOUT: ConfigOption<number> = configOption.duration(
  "heartbeat.timeout", 50_000, "A process that was not heard of for so long counts as lost; one whose connection breaks is lost at once.");
export const JOB_STORE_EXPIRATION: ConfigOption<number> = configOption.duration("jobstore.expiration-time", 3_600_000, "How long the JobManager remembers a job that has ended.");
export const JOB_STORE_CAPACITY: ConfigOption<number> = configOption.integer("jobstore.max-capacity", 1000, "The most ended jobs that the JobManager remembers.");

export const clusterOptions: readonly ConfigOption<any>[] = [
  JOB_MANAGER_ADDRESS, JOB_MANAGER_PORT, JOB_MANAGER_BIND_HOST, TASK_MANAGER_HOST, TASK_MANAGER_BIND_HOST, NUMBER_OF_TASK_SLOTS, TASK_MANAGER_RESOURCE_ID,
  REGISTRATION_TIMEOUT, LOAD_BALANCE_MODE, TEMPORARY_DIRECTORY, SLOT_REQUEST_TIMEOUT, HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, JOB_STORE_EXPIRATION, JOB_STORE_CAPACITY,
];
