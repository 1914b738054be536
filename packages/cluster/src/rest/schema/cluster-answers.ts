import { anything, array, boolean, nullable, number, object, oneOf, optional, record, text, type Infer } from "./schema.js";
import { profilingModes } from "../../inspection/process-inspection.js";
import { jobOverview } from "./job-answers.js";

/** Flink's answers about the cluster, its TaskManagers, metrics and operations, key by key. */
export const dashboardConfig = object({
  "refresh-interval": number, "timezone-name": text, "timezone-offset": number, "flink-version": text, "flink-revision": text,
  features: object({ "web-submit": boolean, "web-cancel": boolean, "web-rescale": boolean, "web-history": boolean }),
});

export const overview = object({
  taskmanagers: number, "slots-total": number, "slots-available": number, "jobs-running": number, "jobs-finished": number, "jobs-cancelled": number, "jobs-failed": number,
  "flink-version": text, "flink-commit": text,
});

export const configuration = array(object({ key: text, value: text }));
export const environment = object({ jvm: object({ version: text, arch: text, options: array(text) }), classpath: array(text) });
export const logList = object({ logs: array(object({ name: text, size: number, mtime: number })) });
export const logUrl = object({ url: text });
export const threadDump = object({ threadInfos: array(object({ threadName: text, stringifiedThreadInfo: text })) });
export const datasets = object({ dataSets: array(anything) });

export const resource = object({
  cpuCores: number, taskHeapMemory: number, taskOffHeapMemory: number, managedMemory: number, networkMemory: number, extendedResources: record(number),
});
const memoryConfiguration = object({
  frameworkHeap: number, taskHeap: number, frameworkOffHeap: number, taskOffHeap: number, networkMemory: number, managedMemory: number, jvmMetaspace: number,
  jvmOverhead: number, totalFlinkMemory: number, totalProcessMemory: number,
});
const taskManagerFields = {
  id: text, path: text, dataPort: number, jmxPort: number, timeSinceLastHeartbeat: number, slotsNumber: number, freeSlots: number, assignedTasks: number,
  totalResource: resource, freeResource: resource, hardware: object({ cpuCores: number, physicalMemory: number, freeMemory: number, managedMemory: number }), memoryConfiguration,
};
export const taskManagerInfo = object({ ...taskManagerFields, blocked: optional(boolean) });
export type TaskManagerInfo = Infer<typeof taskManagerInfo>;
export const taskManagers = object({ taskmanagers: array(taskManagerInfo) });
export const taskManagerDetails = object({
  ...taskManagerFields, blocked: optional(boolean),
  allocatedSlots: array(object({ jobId: text, resource, assignedTasks: number })),
  metrics: object({
    heapUsed: number, heapCommitted: number, heapMax: number, nonHeapUsed: number, nonHeapCommitted: number, nonHeapMax: number, directCount: number, directUsed: number,
    directMax: number, mappedCount: number, mappedUsed: number, mappedMax: number, nettyShuffleMemorySegmentsAvailable: number, nettyShuffleMemorySegmentsUsed: number,
    nettyShuffleMemorySegmentsTotal: number, nettyShuffleMemoryAvailable: number, nettyShuffleMemoryUsed: number, nettyShuffleMemoryTotal: number,
    garbageCollectors: array(object({ name: text, count: number, time: number })),
  }),
});

/** Names only without `get`, values with it. */
export const metrics = array(object({ id: text, value: optional(text) }));
export const aggregatedMetrics = array(object({ id: text, min: optional(number), max: optional(number), avg: optional(number), sum: optional(number), skew: optional(number) }));

export const triggered = object({ "request-id": text });
const status = object({ id: oneOf("IN_PROGRESS", "COMPLETED") });
const failure = optional(object({ class: text, "stack-trace": text, "serialized-throwable": optional(text) }));
export const savepointStatus = object({ status, operation: optional(object({ location: optional(text), "failure-cause": failure })) });
export const checkpointTriggerStatus = object({ status, operation: optional(object({ checkpointId: optional(number), "failure-cause": failure })) });
export const operationStatus = object({ status, operation: optional(object({ "failure-cause": failure })) });

export const resourceRequirements = record(object({ parallelism: object({ lowerBound: number, upperBound: number }) }));

export const jars = object({
  address: text, error: optional(text),
  files: array(object({ id: text, name: text, uploaded: number, entry: array(object({ name: text, description: optional(text) })) })),
});
export const uploaded = object({ filename: text, status: oneOf("success") });
export const started = object({ jobid: text });

export const applications = object({
  applications: array(object({ id: text, name: text, "start-time": number, "end-time": number, duration: number, status: text, jobs: record(number) })),
});
export const applicationDetails = object({
  id: text, name: text, "start-time": number, "end-time": number, duration: number, status: text, timestamps: record(number), jobs: array(jobOverview),
});
export const applicationExceptions = object({
  exceptionHistory: object({ entries: array(object({ exceptionName: text, stacktrace: text, timestamp: number, jobId: text })) }),
});
export const profilingRequest = object({ mode: oneOf(...profilingModes), duration: number });
export const profiling = object({
  status: oneOf("RUNNING", "FINISHED", "FAILED"), mode: oneOf(...profilingModes), triggerTime: number, finishedTime: nullable(number), duration: number, message: nullable(text),
  outputFile: nullable(text),
});
export const profilings = object({ profilingList: array(profiling) });
export const errors = object({ errors: array(text) });
