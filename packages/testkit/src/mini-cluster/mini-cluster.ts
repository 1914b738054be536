import { planJob, type RunJobOptions } from "@millrace/cli/run-job";
import type { JobMaster } from "@millrace/cluster";
import { LocalJobClient, WorkerSlots, consoleLog, startEmbeddedJob } from "@millrace/cluster/embedded";
import { nodeInThreadExecutor } from "@millrace/cluster/in-thread";
import { MillraceError, type LogSink } from "@millrace/core";
import { installExecutor, installedExecutor, type JobClient, type PipelineExecutor } from "@millrace/graph";

export interface MiniClusterOptions {
  /** Configuration of every job, by key; wins over what the jobs set. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly log?: LogSink;
  /** Sends records between tasks of this thread through the exchange codec, as between worker threads. Default true. */
  readonly roundTripEdges?: boolean;
}

/** A job that runs in a {@link MiniCluster}. */
export interface MiniClusterJob extends JobClient {
  /** Fails the job as if one of its tasks had failed: it restarts or fails as its restart strategy says. */
  fail(error?: unknown): void;
  /** Resolves once `count` checkpoints are complete. */
  checkpointsCompleted(count: number): Promise<void>;
  /** Failures so far, newest last. */
  readonly exceptionHistory: JobMaster["exceptionHistory"];
}

/**
 * An embedded cluster for tests. Between `start` and `stop`, `env.execute()` runs here, in the test's thread; {@link submitModule} runs a job's
 * module on worker threads.
 *
 * ```ts
 * const cluster = new MiniCluster({ config: { "execution.checkpointing.interval": "50 ms" } });
 * cluster.start();
 * after(() => cluster.stop());
 * ```
 */
export class MiniCluster {
  readonly #options: MiniClusterOptions;
  readonly #jobs = new Map<string, JobMaster>();
  readonly #ends: (() => Promise<void>)[] = [];
  #previous: PipelineExecutor | undefined;
  #started = false;

  constructor(options: MiniClusterOptions = {}) {
    this.#options = options;
  }

  start(): void {
    if (this.#started) throw new MillraceError({ code: "MINI_CLUSTER_STARTED", message: "the MiniCluster is already started" });
    this.#started = true;
    this.#previous = installedExecutor();
    let latest: JobMaster | undefined;
    const inThread = nodeInThreadExecutor({
      configOverrides: this.#options.config ?? {}, roundTripEdges: this.#options.roundTripEdges ?? true, ...(this.#options.log === undefined ? {} : { log: this.#options.log }),
      onJob: (job) => {
        latest = job;
      },
    });
    installExecutor({
      configOverrides: inThread.configOverrides,
      execute: async (pipeline) => {
        const client = await inThread.execute(pipeline);
        this.#jobs.set(client.jobId, latest!);
        return client;
      },
    });
  }

  /** The controls of a job that was started with `env.executeAsync()`. */
  job(client: JobClient): MiniClusterJob {
    const master = this.#jobs.get(client.jobId);
    if (master === undefined) throw new MillraceError({ code: "JOB_UNKNOWN", message: `the job ${client.jobId} does not run in this MiniCluster` });
    return controls(client, master);
  }

  /** Runs a job's module on worker threads. */
  async submitModule(job: URL | string, options: RunJobOptions = {}): Promise<MiniClusterJob> {
    const config = { ...options.config, ...this.#options.config };
    const { artifact, program, jobGraph } = await planJob(job, { ...options, config });
    const slots = new WorkerSlots();
    slots.load({ artifactUrl: artifact.url, source: artifact.source, args: options.args ?? [], entryUrl: artifact.library?.slot });
    const master = startEmbeddedJob({
      jobGraph, slots, log: options.log ?? this.#options.log ?? consoleLog, onCollected: (...batch) => program.collected(...batch),
      ...(options.onStatus === undefined ? {} : { onStatus: options.onStatus }),
    });
    const client = new LocalJobClient(jobGraph.jobId, master);
    program.attach(client);
    this.#jobs.set(jobGraph.jobId, master);
    this.#ends.push(() => program.terminate());
    return controls(client, master);
  }

  /** Cancels what still runs; resolves when nothing does. */
  async stop(): Promise<void> {
    for (const job of this.#jobs.values()) job.cancel();
    await Promise.allSettled([...this.#jobs.values()].map((job) => job.result));
    await Promise.all(this.#ends.map((end) => end()));
    this.#jobs.clear();
    if (this.#started) installExecutor(this.#previous as PipelineExecutor);
    this.#started = false;
  }
}

function controls(client: JobClient, master: JobMaster): MiniClusterJob {
  return {
    jobId: client.jobId, getJobStatus: () => client.getJobStatus(), cancel: () => client.cancel(),
    getJobExecutionResult: () => client.getJobExecutionResult(), getAccumulators: () => client.getAccumulators(),
    getMetrics: () => client.getMetrics(), triggerCheckpoint: () => client.triggerCheckpoint(),
    triggerSavepoint: (directory, formatType) => client.triggerSavepoint(directory, formatType), stopWithSavepoint: (options) => client.stopWithSavepoint(options),
    fail: (error = new Error("failed by the test")) => master.injectFailure(error),
    checkpointsCompleted: (count) => checkpointsCompleted(master, count),
    get exceptionHistory() {
      return master.exceptionHistory;
    },
  };
}

const POLL_MS = 5;

async function checkpointsCompleted(master: JobMaster, count: number): Promise<void> {
  let ended = false;
  void master.result.catch(() => undefined).then(() => (ended = true));
  while (master.metrics().checkpointsCompleted < count) {
    if (ended) throw new MillraceError({ code: "JOB_NOT_RUNNING", message: `the job ended after ${master.metrics().checkpointsCompleted} checkpoints` });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
