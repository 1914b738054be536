import { hostname } from "node:os";
import { collectSamples } from "../../metrics/metric-samples.js";
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from "../../metrics/prometheus-text.js";
import { RestError } from "../http/rest-error.js";
import { FileAnswer, RawAnswer, fileRoute, route, type RestRequest, type Route } from "../http/route.js";
import type { LogFile, TaskManagerView } from "../gateway/rest-gateway.js";
import {
  configuration, dashboardConfig, datasets, environment, logList, logUrl, overview, taskManagerDetails, taskManagers, threadDump, type TaskManagerInfo,
} from "../schema/cluster-answers.js";
import { nothing, type Infer } from "../schema/schema.js";
import { masked } from "./masked-config.js";

const viewer = { method: "GET", role: "viewer" } as const;

export const clusterRoutes: readonly Route[] = [
  route({
    ...viewer, path: "/config", summary: "What the dashboard must know.", response: dashboardConfig,
    handle: async ({ gateway, settings }) => {
      const { version, commit, config } = await gateway.jobManager();
      const zone = Intl.DateTimeFormat("en", { timeZoneName: "long" }).formatToParts(new Date()).find(({ type }) => type === "timeZoneName")?.value ?? "UTC";
      return {
        "refresh-interval": settings.refreshIntervalMs, "timezone-name": zone, "timezone-offset": -new Date().getTimezoneOffset() * 60_000, "flink-version": version,
        "flink-revision": commit,
        features: { "web-submit": settings.submitEnabled && gateway.artifacts !== undefined, "web-cancel": settings.cancelEnabled, "web-rescale": config["jobmanager.scheduler"] === "adaptive" && config["scheduler-mode"] !== "reactive", "web-history": false },
      };
    },
  }),
  route({
    ...viewer, path: "/overview", summary: "TaskManagers, slots and jobs, counted.", response: overview,
    handle: async ({ gateway }) => {
      const [jobs, managers, { version, commit }] = await Promise.all([gateway.listJobs(), gateway.taskManagers(), gateway.jobManager()]);
      const count = (...statuses: string[]): number => jobs.filter(({ status }) => statuses.includes(status)).length;
      return {
        taskmanagers: managers.length, "slots-total": sum(managers, ({ slots }) => slots), "slots-available": sum(managers, ({ freeSlots }) => freeSlots),
        "jobs-running": jobs.length - count("FINISHED", "CANCELED", "FAILED"), "jobs-finished": count("FINISHED"), "jobs-cancelled": count("CANCELED"),
        "jobs-failed": count("FAILED"), "flink-version": version, "flink-commit": commit,
      };
    },
  }),
  route({
    method: "DELETE", path: "/cluster", summary: "Ends the cluster.", role: "operator", response: nothing,
    handle: async ({ gateway }) => {
      await gateway.shutDown();
      return {};
    },
  }),
  ...["/jobmanager/config", "/jobs/:jobid/jobmanager/config"].map((path) => route({
    ...viewer, path, summary: "The configuration of the JobManager; secrets are masked.", response: configuration,
    handle: async (request) => {
      await jobMustExist(request);
      return Object.entries(masked((await request.gateway.jobManager()).config)).map(([key, value]) => ({ key, value }));
    },
  })),
  ...["/jobmanager/environment", "/jobs/:jobid/jobmanager/environment"].map((path) => route({
    ...viewer, path, summary: "What the JobManager runs on.", response: environment,
    handle: async (request) => {
      await jobMustExist(request);
      const { runtime, architecture, options } = (await request.gateway.jobManager()).environment;
      return { jvm: { version: runtime, arch: architecture, options }, classpath: [] };
    },
  })),
  route({ ...viewer, path: "/jobmanager/logs", summary: "Log files of the JobManager.", response: logList, handle: async ({ gateway }) => logsOf(gateway, undefined) }),
  fileRoute({ ...viewer, path: "/jobmanager/logs/:filename", summary: "A log file of the JobManager.", handle: async ({ gateway, params }) => log(gateway, undefined, params["filename"]!) }),
  fileRoute({ ...viewer, path: "/jobmanager/log", summary: "The main log file of the JobManager.", handle: async ({ gateway }) => mainLog(gateway, undefined, ".log") }),
  fileRoute({ ...viewer, path: "/jobmanager/stdout", summary: "What the JobManager wrote to standard output.", handle: async ({ gateway }) => mainLog(gateway, undefined, ".out") }),
  route({ ...viewer, path: "/jobmanager/thread-dump", summary: "Stacks of the JobManager's threads.", response: threadDump, handle: async ({ gateway }) => threads(gateway, undefined) }),
  route({
    ...viewer, path: "/jobs/:jobid/jobmanager/log-url", summary: "Where the dashboard shows the JobManager's logs.", response: logUrl,
    handle: async (request) => {
      await jobMustExist(request);
      return { url: `${request.address}/#/job-manager/logs` };
    },
  }),
  route({
    ...viewer, path: "/taskmanagers", summary: "All TaskManagers.", response: taskManagers,
    handle: async ({ gateway }) => ({ taskmanagers: (await gateway.taskManagers()).map(taskManagerInfo) }),
  }),
  route({
    ...viewer, path: "/taskmanagers/:taskmanagerid", summary: "One TaskManager with its slots and memory.", response: taskManagerDetails,
    handle: async ({ gateway, params }) => details(await gateway.taskManager(params["taskmanagerid"]!)),
  }),
  route({ ...viewer, path: "/taskmanagers/:taskmanagerid/logs", summary: "Log files of a TaskManager.", response: logList, handle: async ({ gateway, params }) => logsOf(gateway, params["taskmanagerid"]!) }),
  fileRoute({
    ...viewer, path: "/taskmanagers/:taskmanagerid/logs/:filename", summary: "A log file of a TaskManager.",
    handle: async ({ gateway, params }) => log(gateway, params["taskmanagerid"]!, params["filename"]!),
  }),
  fileRoute({ ...viewer, path: "/taskmanagers/:taskmanagerid/log", summary: "The main log file of a TaskManager.", handle: async ({ gateway, params }) => mainLog(gateway, params["taskmanagerid"]!, ".log") }),
  fileRoute({ ...viewer, path: "/taskmanagers/:taskmanagerid/stdout", summary: "What a TaskManager wrote to standard output.", handle: async ({ gateway, params }) => mainLog(gateway, params["taskmanagerid"]!, ".out") }),
  route({ ...viewer, path: "/taskmanagers/:taskmanagerid/thread-dump", summary: "Stacks of a TaskManager's threads.", response: threadDump, handle: async ({ gateway, params }) => threads(gateway, params["taskmanagerid"]!) }),
  route({
    ...viewer, path: "/jobs/:jobid/taskmanagers/:taskmanagerid/log-url", summary: "Where the dashboard shows a TaskManager's logs.", response: logUrl,
    handle: async (request) => {
      await jobMustExist(request);
      return { url: `${request.address}/#/task-manager/${encodeURIComponent(request.params["taskmanagerid"]!)}/logs` };
    },
  }),
  fileRoute({
    ...viewer, path: "/metrics", summary: "All metrics in Prometheus' text format.",
    handle: async ({ gateway }) => new RawAnswer(PROMETHEUS_CONTENT_TYPE, Buffer.from(prometheusText(await collectSamples(gateway, hostname())))),
  }),
  route({ ...viewer, path: "/datasets", summary: "Cached intermediate results: there are none.", response: datasets, empty: true, handle: () => ({ dataSets: [] }) }),
  route({
    method: "DELETE", path: "/datasets/:datasetid", summary: "Deletes a cached result: there are none.", role: "operator", response: nothing, empty: true,
    handle: ({ params }) => {
      throw new RestError(404, `There is no data set ${params["datasetid"]}.`);
    },
  }),
  route({
    ...viewer, path: "/datasets/delete/:triggerid", summary: "What became of a data set's deletion: there are none.", response: nothing, empty: true,
    handle: ({ params }) => {
      throw new RestError(404, `There is no operation with triggerId=${params["triggerid"]}.`);
    },
  }),
];

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

async function jobMustExist({ gateway, params }: RestRequest): Promise<void> {
  const jobId = params["jobid"];
  if (jobId !== undefined) await gateway.job(jobId);
}

async function logsOf(gateway: RestRequest["gateway"], taskManagerId: string | undefined): Promise<Infer<typeof logList>> {
  return { logs: (await gateway.logs(taskManagerId)).map(({ name, sizeBytes, modifiedMs }) => ({ name, size: sizeBytes, mtime: modifiedMs })) };
}

/** Only a name from the list is read: nothing else of the machine's files has one. */
async function log(gateway: RestRequest["gateway"], taskManagerId: string | undefined, name: string): Promise<FileAnswer> {
  const known = (await gateway.logs(taskManagerId)).find((file) => file.name === name);
  if (known === undefined) throw new RestError(404, "This file does not exist in JobManager or TaskManager log dir.");
  return new FileAnswer("text/plain; charset=utf-8", known.sizeBytes, pieces(gateway, taskManagerId, known));
}

/** As much of a file as it was long when it was asked for; what has taken its name since is another. */
async function* pieces(gateway: RestRequest["gateway"], taskManagerId: string | undefined, { name, sizeBytes }: LogFile): AsyncGenerator<Uint8Array> {
  let current: string | undefined;
  for (let offset = 0; offset < sizeBytes; ) {
    const { bytes, file } = await gateway.readLog(taskManagerId, name, offset);
    current ??= file;
    if (bytes.length === 0 || file !== current) return;
    yield bytes.subarray(0, sizeBytes - offset);
    offset += bytes.length;
  }
}

async function mainLog(gateway: RestRequest["gateway"], taskManagerId: string | undefined, suffix: string): Promise<FileAnswer> {
  const file = (await gateway.logs(taskManagerId)).find(({ name }) => name.endsWith(suffix));
  if (file === undefined) throw new RestError(404, `There is no ${suffix === ".log" ? "log" : "stdout"} file.`);
  return log(gateway, taskManagerId, file.name);
}

async function threads(gateway: RestRequest["gateway"], taskManagerId: string | undefined): Promise<Infer<typeof threadDump>> {
  return { threadInfos: (await gateway.threadDump(taskManagerId)).map(({ name, stack }) => ({ threadName: name, stringifiedThreadInfo: stack })) };
}

const MIB = 1024 ** 2;

/** V8 has one heap and no pools beside it: memory that only the JVM knows is 0. */
function resources(cpuCores: number, heapBytes: number): TaskManagerInfo["totalResource"] {
  return { cpuCores, taskHeapMemory: Math.floor(heapBytes / MIB), taskOffHeapMemory: 0, managedMemory: 0, networkMemory: 0, extendedResources: {} };
}

function taskManagerInfo(view: TaskManagerView): TaskManagerInfo {
  const { hardware, slots, freeSlots } = view;
  const share = slots === 0 ? 0 : freeSlots / slots;
  const heap = hardware.heapBytes;
  return {
    id: view.id, path: view.path, dataPort: view.dataPort, jmxPort: -1, timeSinceLastHeartbeat: view.lastHeartbeatMs, slotsNumber: slots, freeSlots,
    assignedTasks: sum(view.allocatedSlots, ({ tasks }) => tasks), totalResource: resources(hardware.cpuCores, heap), freeResource: resources(hardware.cpuCores * share, heap * share),
    hardware: { cpuCores: hardware.cpuCores, physicalMemory: hardware.physicalMemoryBytes, freeMemory: heap, managedMemory: 0 },
    memoryConfiguration: {
      frameworkHeap: 0, taskHeap: heap, frameworkOffHeap: 0, taskOffHeap: 0, networkMemory: 0, managedMemory: 0, jvmMetaspace: 0, jvmOverhead: 0, totalFlinkMemory: heap,
      totalProcessMemory: hardware.physicalMemoryBytes,
    },
  };
}

function details(view: TaskManagerView): Infer<typeof taskManagerDetails> {
  const value = (name: string): number => view.metrics[`Status.JVM.Memory.${name}`] ?? 0;
  const shuffle = (name: string): number => view.metrics[`Status.Shuffle.Netty.${name}`] ?? 0;
  const info = taskManagerInfo(view);
  const collectors = Object.keys(view.metrics).flatMap((name) => /^Status\.JVM\.GarbageCollector\.(.+)\.Count$/.exec(name)?.[1] ?? []);
  const each = Math.max(1, view.slots);
  return {
    ...info,
    allocatedSlots: view.allocatedSlots.map(({ jobId, tasks }) => ({ jobId, resource: resources(view.hardware.cpuCores / each, view.hardware.heapBytes / each), assignedTasks: tasks })),
    metrics: {
      heapUsed: value("Heap.Used"), heapCommitted: value("Heap.Committed"), heapMax: value("Heap.Max"), nonHeapUsed: value("NonHeap.Used"),
      nonHeapCommitted: value("NonHeap.Committed"), nonHeapMax: -1, directCount: 0, directUsed: value("Direct.MemoryUsed"), directMax: 0, mappedCount: 0, mappedUsed: 0, mappedMax: 0,
      nettyShuffleMemorySegmentsAvailable: shuffle("AvailableMemorySegments"), nettyShuffleMemorySegmentsUsed: shuffle("UsedMemorySegments"),
      nettyShuffleMemorySegmentsTotal: shuffle("TotalMemorySegments"), nettyShuffleMemoryAvailable: shuffle("AvailableMemory"), nettyShuffleMemoryUsed: shuffle("UsedMemory"),
      nettyShuffleMemoryTotal: shuffle("TotalMemory"),
      garbageCollectors: collectors.map((name) => ({
        name, count: view.metrics[`Status.JVM.GarbageCollector.${name}.Count`] ?? 0, time: view.metrics[`Status.JVM.GarbageCollector.${name}.Time`] ?? 0,
      })),
    },
  };
}
