import { CHECKPOINTING_DIRECTORY, Configuration, MillraceError, allOptions, type Cancellable } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import type { BlobStore } from "../blob/blob-store.js";
import type { ResourceManager } from "../resource-manager/resource-manager.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { ClusterSlots, type JobProgramFile, type SlotEventRouter } from "../scheduler/cluster-slots.js";
import { ManagedJob, type JobObserver, type JobSummary } from "./managed-job.js";

export interface DispatcherInit {
  readonly env: ClusterEnv;
  readonly resources: ResourceManager;
  readonly events: SlotEventRouter;
  readonly blobs: BlobStore;
  /** Where checkpoints go of jobs that name no directory; absolute. */
  readonly defaultCheckpointDirectory: string;
  /** Where savepoints go when neither the request nor the job names a directory. */
  readonly defaultSavepointDirectory?: string | undefined;
  /** How long jobs that have ended are remembered, and how many at most. */
  readonly endedJobs: { readonly expirationMs: number; readonly capacity: number };
}

/** A job to run: its plan, and what its slots run for its functions. The artifact is in the blob store. */
export interface JobSubmission extends JobProgramFile {
  readonly jobGraph: JobGraph;
}

/** Starts jobs, one JobMaster each, and remembers them. A state machine on one thread. Flink: Dispatcher. */
export class Dispatcher {
  readonly #init: DispatcherInit;
  readonly #jobs = new Map<string, ManagedJob>();
  #stopped = false;
  readonly #expirations = new Map<string, Cancellable>();

  constructor(init: DispatcherInit) {
    this.#init = init;
  }

  /**
   * Starts a job; it waits for its slots by itself. The observer sees everything from the start on.
   * @throws `JOB_SUBMISSION_INVALID`, `JOB_ALREADY_SUBMITTED`, `BLOB_NOT_FOUND`, `CONFIG_UNKNOWN_KEY` and other complaints about its configuration
   */
  async submit(submission: JobSubmission, observer?: JobObserver): Promise<ManagedJob> {
    if (this.#stopped) throw new MillraceError({ code: "CLUSTER_STOPPING", message: "the cluster is being stopped and takes no jobs" });
    checkSubmission(submission);
    const { env, blobs, resources, events } = this.#init;
    const { jobGraph, artifact, source, args } = submission;
    if (!(await blobs.has(artifact))) throw new MillraceError({ code: "BLOB_NOT_FOUND", message: `the artifact of job "${jobGraph.jobName}", blob ${artifact}, was not uploaded` });
    if (this.#jobs.has(jobGraph.jobId)) throw new MillraceError({ code: "JOB_ALREADY_SUBMITTED", message: `job ${jobGraph.jobId} was submitted before` });
    const configured = Configuration.of(jobGraph.config, allOptions).get(CHECKPOINTING_DIRECTORY);
    const job = new ManagedJob({
      env, jobGraph,
      checkpointDirectory: `${configured === undefined ? this.#init.defaultCheckpointDirectory : env.fs.resolve(configured)}/${jobGraph.jobId}`,
      savepointDirectory: this.#init.defaultSavepointDirectory,
      slots: (log) => new ClusterSlots({ env: { ...env, log }, resources, program: { artifact, source, args } }, events),
    });
    if (observer !== undefined) job.observe(observer);
    this.#jobs.set(jobGraph.jobId, job);
    const ended = (): void => this.#ended(job);
    job.master.result.then(ended, ended);
    job.master.start();
    return job;
  }

  /** Running jobs and those that have ended lately, oldest first. */
  list(): readonly JobSummary[] {
    return [...this.#jobs.values()].map(({ summary }) => summary);
  }

  /** @throws `JOB_UNKNOWN` */
  job(jobId: string): ManagedJob {
    const job = this.#jobs.get(jobId);
    if (job !== undefined) return job;
    throw new MillraceError({ code: "JOB_UNKNOWN", message: `there is no job ${jobId.slice(0, 40)}`, hint: "millrace list -a shows all jobs; those that ended long ago are forgotten" });
  }

  /** Ids of jobs that begin like this. */
  idsLike(prefix: string): readonly string[] {
    return [...this.#jobs.keys()].filter((jobId) => jobId.startsWith(prefix));
  }

  /** Cancels what runs; resolves when it has stopped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const expiration of this.#expirations.values()) expiration.cancel();
    const running = [...this.#jobs.values()].filter((job) => !job.ended);
    for (const { master } of running) master.cancel();
    await Promise.allSettled(running.map(({ master }) => master.result));
  }

  #ended(job: ManagedJob): void {
    const { env, endedJobs } = this.#init;
    const { jobId } = job.jobGraph;
    if (!this.#stopped) this.#expirations.set(jobId, env.clock.setTimer(endedJobs.expirationMs, () => this.#forget(jobId)));
    const ended = [...this.#jobs.values()].filter((other) => other.ended);
    for (const old of ended.slice(0, Math.max(0, ended.length - endedJobs.capacity))) this.#forget(old.jobGraph.jobId);
  }

  #forget(jobId: string): void {
    this.#expirations.get(jobId)?.cancel();
    this.#expirations.delete(jobId);
    this.#jobs.delete(jobId);
  }
}

const JOB_ID = /^[0-9a-f]{32}$/;

/** What came from outside must have the shape of a job before anything is done with it. */
function checkSubmission({ jobGraph, source, args }: JobSubmission): void {
  const isRecord = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
  const wrong =
    !isRecord(jobGraph) ? "it has no job graph"
    : !JOB_ID.test(jobGraph.jobId) ? "its job id is not 32 hexadecimal digits"
    : typeof jobGraph.jobName !== "string" ? "it has no name"
    : !Array.isArray(jobGraph.vertices) || jobGraph.vertices.length === 0 || !jobGraph.vertices.every(isVertex) ? "its vertices are not those of a job"
    : !Array.isArray(jobGraph.edges) || !jobGraph.edges.every((edge) => isEdge(edge, jobGraph)) ? "its edges are not those of a job"
    : !isRecord(jobGraph.config) ? "it has no configuration"
    : typeof source !== "string" || !Array.isArray(args) || !args.every((argument) => typeof argument === "string") ? "its program or arguments are missing"
    : undefined;
  if (wrong !== undefined) throw new MillraceError({ code: "JOB_SUBMISSION_INVALID", message: `the job cannot be taken: ${wrong}` });
}

function isVertex(vertex: JobGraph["vertices"][number]): boolean {
  return typeof vertex === "object" && vertex !== null && typeof vertex.id === "string" && Number.isInteger(vertex.parallelism) && vertex.parallelism >= 1 && vertex.parallelism <= 32768 &&
    Array.isArray(vertex.operators) && vertex.operators.length > 0 && vertex.operators.every((operator) => typeof operator?.id === "string" && typeof operator.type === "string");
}

function isEdge(edge: JobGraph["edges"][number], { vertices }: JobGraph): boolean {
  return typeof edge?.id === "string" && vertices.some(({ id }) => id === edge.sourceVertexId) && vertices.some(({ id }) => id === edge.targetVertexId);
}
