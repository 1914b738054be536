import type { ClusterClient, JobSummary } from "@millrace/cluster/process";
import { connectCluster } from "./cluster-address.js";
import { exitCodes } from "./exit-codes.js";

export interface ListRequest {
  readonly jobManager?: string;
  readonly all?: boolean;
  readonly running?: boolean;
  readonly scheduled?: boolean;
}

/** `millrace list`: the jobs of a cluster; those that run or wait, unless the flags say otherwise. */
export async function listCommand(request: ListRequest): Promise<number> {
  return withCluster(request.jobManager, async (cluster) => {
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

/** `millrace cancel`: stops a job without a savepoint; resolves when it has stopped. */
export async function cancelCommand(jobId: string, request: { readonly jobManager?: string }): Promise<number> {
  return withCluster(request.jobManager, async (cluster) => {
    await cluster.ask("cancelJob", { jobId });
    process.stdout.write(`Cancelled job ${jobId}.\n`);
    return exitCodes.finished;
  });
}

/** `millrace checkpoint`: takes a checkpoint now; prints where it is. */
export async function checkpointCommand(jobId: string, request: { readonly jobManager?: string }): Promise<number> {
  return withCluster(request.jobManager, async (cluster) => {
    process.stdout.write(`${await cluster.ask("triggerCheckpoint", { jobId })}\n`);
    return exitCodes.finished;
  });
}

export interface RescaleRequest {
  readonly jobManager?: string;
  readonly parallelism?: number;
  /** By a vertex's id or name. */
  readonly vertices: Readonly<Record<string, number>>;
}

/** `millrace rescale`: gives a running job's vertices another parallelism; returns once the job has taken it in. */
export async function rescaleCommand(jobId: string, { jobManager, parallelism, vertices }: RescaleRequest): Promise<number> {
  return withCluster(jobManager, async (cluster) => {
    await cluster.ask("rescaleJob", { jobId, vertices, ...(parallelism === undefined ? {} : { parallelism }) });
    const requirements = await cluster.ask("resourceRequirements", { jobId });
    for (const { name, lowerBound, upperBound, parallelism: now } of requirements) process.stdout.write(`${name}: ${lowerBound} to ${upperBound}, now ${now}\n`);
    return exitCodes.finished;
  });
}

async function withCluster(address: string | undefined, work: (cluster: ClusterClient) => Promise<number>): Promise<number> {
  const cluster = await connectCluster(address);
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
