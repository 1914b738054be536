import type { ClusterClient, JobSummary } from "@millrace/cluster/process";
import type { SavepointFormat } from "@millrace/graph";
import { connectCluster, type ClusterRequest } from "./cluster-address.js";
import { portablePath } from "./portable-path.js";
import { exitCodes } from "./exit-codes.js";

export interface ListRequest extends ClusterRequest {
  readonly all?: boolean;
  readonly running?: boolean;
  readonly scheduled?: boolean;
}

/** `millrace list`: the jobs of a cluster; those that run or wait, unless the flags say otherwise. */
export async function listCommand(request: ListRequest): Promise<number> {
  return withCluster(request, async (cluster) => {
    const jobs = await cluster.ask("listJobs", undefined);
    const either = request.running !== true && request.scheduled !== true;
    const isScheduled = ({ status }: JobSummary): boolean => status === "CREATED" || status === "INITIALIZING";
    const ended = jobs.filter(({ endTimeMs }) => endTimeMs !== undefined);
    const active = jobs.filter((job) => job.endTimeMs === undefined);
    if (either || request.running === true || request.all === true) section("Running/Restarting Jobs", active.filter((job) => !isScheduled(job)));
    if (either || request.scheduled === true || request.all === true) section("Scheduled Jobs", active.filter(isScheduled));
    if (request.all === true) section("Terminated Jobs", ended);
    return exitCodes.finished;
  });
}

export interface CancelRequest extends ClusterRequest {
  /** Takes a savepoint before: `true` into the configured directory. Flink's old form of `stop`. */
  readonly withSavepoint?: string | true;
}

/** `millrace cancel`: stops a job without a savepoint; resolves when it has stopped. */
export async function cancelCommand(jobId: string, request: CancelRequest): Promise<number> {
  return withCluster(request, async (cluster) => {
    const { withSavepoint } = request;
    if (withSavepoint !== undefined) {
      process.stderr.write("cancel -s is deprecated: between savepoint and end the job may commit results once more; use millrace stop\n");
      const path = await cluster.ask("triggerSavepoint", { jobId, directory: withSavepoint === true ? undefined : portablePath(withSavepoint) });
      process.stdout.write(`Savepoint stored in ${path}.\n`);
    }
    await cluster.ask("cancelJob", { jobId });
    process.stdout.write(`Cancelled job ${jobId}.\n`);
    return exitCodes.finished;
  });
}

/** `millrace stop`: stops a job behind a savepoint; resolves when it has finished, and prints where the savepoint is. */
export async function stopCommand(jobId: string, request: ClusterRequest & { readonly directory?: string; readonly drain: boolean; readonly formatType?: SavepointFormat | undefined }): Promise<number> {
  return withCluster(request, async (cluster) => {
    process.stderr.write(`Suspending job "${jobId}" with a savepoint${request.drain ? ", after the end of its input" : ""}.\n`);
    const path = await cluster.stopWithSavepoint(jobId, { directory: optionalPath(request.directory), drain: request.drain, formatType: request.formatType });
    process.stdout.write(`${path}\n`);
    return exitCodes.finished;
  });
}

export interface RescaleRequest extends ClusterRequest {
  readonly parallelism?: number;
  /** By a vertex's id or name. */
  readonly vertices: Readonly<Record<string, number>>;
}

/** `millrace rescale`: gives a running job's vertices another parallelism; returns once the job has taken it in. */
export async function rescaleCommand(jobId: string, { parallelism, vertices, ...request }: RescaleRequest): Promise<number> {
  return withCluster(request, async (cluster) => {
    await cluster.ask("rescaleJob", { jobId, vertices, ...(parallelism === undefined ? {} : { parallelism }) });
    const requirements = await cluster.ask("resourceRequirements", { jobId });
    for (const { name, lowerBound, upperBound, parallelism: now } of requirements) process.stdout.write(`${name}: ${lowerBound} to ${upperBound}, now ${now}\n`);
    return exitCodes.finished;
  });
}

/** `millrace savepoint`: takes a savepoint; prints where it is. */
export async function savepointCommand(jobId: string, directory: string | undefined, request: ClusterRequest & { readonly formatType?: SavepointFormat | undefined }): Promise<number> {
  return withCluster(request, async (cluster) => {
    process.stdout.write(`${await cluster.ask("triggerSavepoint", { jobId, directory: optionalPath(directory), formatType: request.formatType })}\n`);
    return exitCodes.finished;
  });
}

/** `millrace savepoint --dispose`: deletes a savepoint, here when no JobManager is named. */
export async function disposeCommand(path: string, request: ClusterRequest): Promise<number> {
  const absolute = portablePath(path);
  if (request.jobManager !== undefined) await withCluster(request, async (cluster) => (await cluster.ask("disposeSavepoint", { path: absolute }), exitCodes.finished));
  else {
    const [{ disposeSavepoint }, { nodeClusterEnv, processLog }] = await Promise.all([import("@millrace/cluster"), import("@millrace/cluster/process")]);
    await disposeSavepoint(nodeClusterEnv(processLog).fs, absolute);
  }
  process.stdout.write(`Savepoint ${absolute} disposed.\n`);
  return exitCodes.finished;
}

/** `millrace checkpoint`: takes a checkpoint now; prints where it is. */
export async function checkpointCommand(jobId: string, request: ClusterRequest & { readonly full: boolean }): Promise<number> {
  return withCluster(request, async (cluster) => {
    process.stdout.write(`${await cluster.ask("triggerCheckpoint", { jobId, full: request.full })}\n`);
    return exitCodes.finished;
  });
}

function optionalPath(path: string | undefined): string | undefined {
  return path === undefined ? undefined : portablePath(path);
}

async function withCluster(request: ClusterRequest, work: (cluster: ClusterClient) => Promise<number>): Promise<number> {
  const cluster = await connectCluster(request);
  try {
    return await work(cluster);
  } finally {
    cluster.close();
  }
}

function section(title: string, jobs: readonly JobSummary[]): void {
  const lines = jobs.length === 0 ? ["(none)"] : jobs.map(({ startTimeMs, jobId, jobName, status }) => `${new Date(startTimeMs).toISOString()} : ${jobId} : ${jobName} (${status})`);
  process.stdout.write(`------------------ ${title} ------------------\n${lines.join("\n")}\n`);
}
