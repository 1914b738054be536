import { isMillraceError } from "@millrace/core";
import type { JobClient, JobMetrics } from "@millrace/graph";
import type { ClusterRequest } from "./cluster-address.js";
import type { JobRequest } from "./command-line.js";
import type { EarlyStart } from "./early-start.js";
import { exitCodes, isUsageError } from "./exit-codes.js";
import { renderError } from "./render-error.js";
import { counted, formatCount, processedRecords, StatusLine } from "./status-line.js";
import { paint } from "./terminal-style.js";

export interface RunRequest extends JobRequest {
  readonly inline: boolean;
  readonly quiet: boolean;
  /** Where the job is submitted to; without it, it runs in this process. */
  readonly cluster: ClusterRequest | undefined;
  readonly detached: boolean;
  /** Ctrl-C, or the end of this process, cancels the job in the cluster instead of leaving it alone. */
  readonly cancelOnExit: boolean;
  /** What was begun before the command was loaded. */
  readonly early?: EarlyStart | undefined;
}

/** A started job as `run` needs it, in whichever way it runs. */
interface StartedJob {
  readonly client: JobClient;
  /** The program, too, has ended. */
  readonly ended: Promise<void>;
  lastCheckpointPath(): string | undefined | Promise<string | undefined>;
  /** Stops the program, whatever it does. */
  kill(): Promise<void>;
}

/** How long a program may take to end after its job failed or was cancelled. */
const PROGRAM_GRACE_MS = 2000;

/** `millrace run`: runs a job to its end; resolves with the exit code. */
export async function runCommand(request: RunRequest): Promise<number> {
  const showsStatus = !request.quiet && process.stderr.isTTY === true;
  let statusLine: StatusLine | undefined;
  const interrupts = new Interrupts(request.cancelOnExit ? undefined : request.cluster);
  let planning = true;
  try {
    const job = await start(request);
    planning = false;
    if (request.cluster !== undefined) process.stderr.write(`Job has been submitted with JobID ${job.client.jobId}\n`);
    if (request.detached) {
      await job.kill();
      return exitCodes.finished;
    }
    interrupts.watch(job.client);
    if (showsStatus) {
      statusLine = new StatusLine(process.stderr, () => job.client.getMetrics());
      statusLine.start();
    }
    try {
      const result = await job.client.getJobExecutionResult();
      await job.ended;
      statusLine?.stop();
      statusLine = undefined;
      if (!request.quiet) process.stderr.write(`${summary(result.jobName, result.netRuntimeMs, await job.client.getMetrics(), result.accumulators)}\n`);
      if (request.cluster !== undefined) await job.kill();
      return exitCodes.finished;
    } catch (error) {
      statusLine?.stop();
      statusLine = undefined;
      const path = await job.lastCheckpointPath();
      await endProgram(job);
      if (path !== undefined) process.stderr.write(`the last checkpoint is kept: go on with -s ${path}\n`);
      throw error;
    }
  } catch (error) {
    if (interrupts.interrupted && isMillraceError(error) && error.code === "JOB_CANCELED") {
      process.stderr.write(`${paint("yellow", "cancelled")}\n`);
      return exitCodes.cancelled;
    }
    process.stderr.write(`${renderError(error, request.verbose)}\n`);
    return isUsageError(error, planning) ? exitCodes.usage : exitCodes.failed;
  } finally {
    interrupts.stop();
  }
}

async function endProgram(job: StartedJob): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, PROGRAM_GRACE_MS)));
  await Promise.race([job.ended.catch(() => undefined), grace]);
  clearTimeout(timer);
  await job.kill();
}

function start(request: RunRequest): Promise<StartedJob> {
  if (request.cluster !== undefined) return startInCluster({ ...request, cluster: request.cluster });
  const inline = request.inline || request.config["slot.isolation"] === "inline";
  return inline ? startInline(request) : startOnWorkers(request);
}

async function startInCluster(request: RunRequest & { readonly cluster: ClusterRequest }): Promise<StartedJob> {
  const { submitRemote } = await import("./remote-job.js");
  return submitRemote(request);
}

async function startOnWorkers(request: RunRequest): Promise<StartedJob> {
  const { submitJob } = await import("./run-job.js");
  const job = await submitJob(request.job, { args: request.args, config: request.config }, request.early);
  return { client: job, ended: job.programEnded, lastCheckpointPath: () => job.lastCheckpointPath(), kill: () => job.kill() };
}

async function startInline(request: RunRequest): Promise<StartedJob> {
  const { startInThread } = await import("./run-inline.js");
  return { ...(await startInThread(request)), kill: async () => undefined };
}

function summary(jobName: string, netRuntimeMs: number, metrics: JobMetrics, accumulators: Readonly<Record<string, unknown>>): string {
  const records = processedRecords(metrics.vertices);
  const seconds = netRuntimeMs / 1000;
  const rate = seconds > 0 ? ` (${formatCount(records / seconds)} records/s)` : "";
  const parts = [
    `${formatCount(records)} records in ${seconds.toFixed(seconds < 10 ? 2 : 0)} s${rate}`,
    ...(metrics.checkpointsCompleted > 0 ? [counted(metrics.checkpointsCompleted, "checkpoint")] : []),
    ...(metrics.restarts > 0 ? [paint("yellow", counted(metrics.restarts, "restart"))] : []),
  ];
  const values = Object.entries(accumulators).map(([name, value]) => `  ${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
  return [`${paint("green", "finished")} "${jobName}": ${parts.join(", ")}`, ...values].join("\n");
}

/** The first Ctrl-C cancels the job, or, of a job in a cluster, leaves it there. The second ends the process at once. */
class Interrupts {
  interrupted = false;
  readonly #leaves: ClusterRequest | undefined;
  #client: JobClient | undefined;
  readonly #onSignal = (): void => {
    if (this.interrupted || this.#client === undefined) process.exit(exitCodes.cancelled);
    this.interrupted = true;
    if (this.#leaves !== undefined) {
      process.stderr.write(`the job goes on; cancel it with: millrace cancel ${this.#leaves.jobManager === undefined ? "" : `-m ${this.#leaves.jobManager} `}${this.#client.jobId}\n`);
      process.exit(exitCodes.cancelled);
    }
    process.stderr.write("cancelling; Ctrl-C again ends at once\n");
    void this.#client.cancel();
  };

  /** @param leaves the cluster in which a job goes on */
  constructor(leaves: ClusterRequest | undefined) {
    this.#leaves = leaves;
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
  }

  watch(client: JobClient): void {
    this.#client = client;
  }

  stop(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }
}
