import { CHECKPOINTING_DIRECTORY, Configuration, MillraceError, allOptions, leadershipLost, type Cancellable, type FileSystem } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import type { BlobStore } from "../blob/blob-store.js";
import type { JobResult } from "../high-availability/job-result-store.js";
import type { ResultRoom } from "../job-master/result-room.js";
import type { ResourceManager } from "../resource-manager/resource-manager.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import type { ResourceRequirements } from "../scheduler/resource-requirements.js";
import { ClusterSlots, type JobProgramFile, type SlotEventRouter } from "../scheduler/cluster-slots.js";
import type { JobPersistence } from "./job-persistence.js";
import { ManagedJob, type JobObserver, type JobSummary } from "./managed-job.js";

export interface DispatcherInit {
  readonly env: ClusterEnv;
  readonly resources: ResourceManager;
  readonly events: SlotEventRouter;
  readonly blobs: BlobStore;
  /** Of this leader, with high availability. */
  readonly fencingToken?: number | undefined;
  /** Where checkpoints go of jobs that name no directory; absolute. */
  readonly defaultCheckpointDirectory: string;
  /** Absolute; nobody else's. */
  readonly temporaryDirectory: string;
  /** What the cluster's configuration says for jobs that do not say it themselves. */
  readonly jobDefaults: Readonly<Record<string, unknown>>;
  /** Where results wait that jobs collect, of all jobs together. */
  readonly resultRoom: ResultRoom;
  /** Where savepoints go when neither the request nor the job names a directory. */
  readonly defaultSavepointDirectory?: string | undefined;
  /** How long jobs that have ended are remembered, and how many at most. */
  readonly endedJobs: { readonly expirationMs: number; readonly capacity: number };
  /** With high availability: what the next leader needs of the jobs. */
  readonly persistence?: JobPersistence | undefined;
}

/** A job to run: its plan, and what its slots run for its functions. The artifact is in the blob store. */
export interface JobSubmission extends JobProgramFile {
  readonly jobGraph: JobGraph;
  /** Of the adaptive scheduler, when they were changed under an earlier leader. */
  readonly requirements?: ResourceRequirements;
}

/** Starts jobs, one JobMaster each, and remembers them. A state machine on one thread. Flink: Dispatcher. */
export class Dispatcher {
  readonly #init: DispatcherInit;
  readonly #jobs = new Map<string, ManagedJob>();
  /** Ids of jobs that are being written down. */
  readonly #accepting = new Set<string>();
  readonly #cleaning = new Set<Promise<void>>();
  #stopped = false;
  #suspended = false;
  readonly #expirations = new Map<string, Cancellable>();

  constructor(init: DispatcherInit) {
    this.#init = init;
  }

  /**
   * Starts a job; it waits for its slots by itself. The observer sees everything from the start on.
   * @throws `JOB_SUBMISSION_INVALID`, `JOB_ALREADY_SUBMITTED`, `BLOB_NOT_FOUND`, `CONFIG_UNKNOWN_KEY` and other complaints about its configuration;
   * with high availability also `HA_UNAVAILABLE` and `LEADERSHIP_LOST`: then the job may run all the same
   */
  async submit(submission: JobSubmission, observer?: JobObserver): Promise<ManagedJob> {
    if (this.#stopped) throw new MillraceError({ code: "CLUSTER_STOPPING", message: "the cluster is being stopped and takes no jobs" });
    checkSubmission(submission);
    const { blobs, persistence } = this.#init;
    const { jobGraph, artifact } = submission;
    const { jobId } = jobGraph;
    if (!(await blobs.has(artifact))) throw new MillraceError({ code: "BLOB_NOT_FOUND", message: `the artifact of job "${jobGraph.jobName}", blob ${artifact}, was not uploaded` });
    if (this.#jobs.has(jobId) || this.#accepting.has(jobId)) throw alreadySubmitted(jobId, "was submitted before");
    this.#accepting.add(jobId);
    try {
      if ((await persistence?.result(jobId)) !== undefined) throw alreadySubmitted(jobId, "has ended before, and does not run again");
      const job = this.#make(submission, 0);
      await persistence?.accept(submission);
      if (this.#suspended) throw leadershipLost(this.#init.fencingToken ?? 0, "it ended while the job was submitted");
      return this.#start(job, observer);
    } finally {
      this.#accepting.delete(jobId);
    }
  }

  /** With high availability, before anything else: goes on with the jobs of earlier leaders. */
  async recover(): Promise<void> {
    const { persistence, env } = this.#init;
    for (const submission of (await persistence?.recover()) ?? []) {
      const { jobId, jobName } = submission.jobGraph;
      try {
        this.#start(this.#make(submission, persistence!.firstAttempt));
        env.log.write("info", `job "${jobName}" (${jobId}) is recovered`);
      } catch (error) {
        env.log.write("error", `job "${jobName}" (${jobId}) is not recovered: ${(error as Error).message}`);
      }
    }
  }

  /** How a job ended that another leader has run; `undefined` when nothing is known of one. @throws `HA_UNAVAILABLE` */
  async resultOfEarlier(jobId: string): Promise<JobResult | undefined> {
    return JOB_ID.test(jobId) ? this.#init.persistence?.result(jobId) : undefined;
  }

  /** Where a job's checkpoints go. */
  checkpointDirectory({ config, jobId }: JobGraph): string {
    return checkpointDirectory(this.#init.env.fs, this.#init.defaultCheckpointDirectory, config, jobId);
  }

  #make(submission: JobSubmission, firstAttempt: number): ManagedJob {
    const { env, resources, events, persistence, jobDefaults } = this.#init;
    const { artifact, source, args } = submission;
    const jobGraph: JobGraph = { ...submission.jobGraph, config: { ...jobDefaults, ...submission.jobGraph.config } };
    return new ManagedJob({
      env, jobGraph, artifact, persistence, firstAttempt, requirements: submission.requirements, checkpointDirectory: this.checkpointDirectory(jobGraph),
      savepointDirectory: this.#init.defaultSavepointDirectory, temporaryDirectory: this.#init.temporaryDirectory, resultRoom: this.#init.resultRoom,
      slots: (log) => new ClusterSlots({ env: { ...env, log }, resources, job: jobGraph, program: { artifact, source, args } }, events),
    });
  }

  #start(job: ManagedJob, observer?: JobObserver): ManagedJob {
    if (observer !== undefined) job.observe(observer);
    this.#jobs.set(job.jobGraph.jobId, job);
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
    await Promise.all(this.#cleaning);
  }

  /** This process no longer leads: lets go of all jobs, for the next leader. */
  suspend(): void {
    this.#stopped = this.#suspended = true;
    for (const expiration of this.#expirations.values()) expiration.cancel();
    for (const { master } of this.#jobs.values()) master.suspend();
  }

  #ended(job: ManagedJob): void {
    if (this.#suspended) return;
    const { env, endedJobs, persistence } = this.#init;
    const { jobId } = job.jobGraph;
    if (persistence !== undefined) {
      const cleaning = this.#cleanUpAfter(job, persistence).finally(() => this.#cleaning.delete(cleaning));
      this.#cleaning.add(cleaning);
    }
    if (!this.#stopped) this.#expirations.set(jobId, env.clock.setTimer(endedJobs.expirationMs, () => this.#forget(jobId)));
    const ended = [...this.#jobs.values()].filter((other) => other.ended);
    for (const old of ended.slice(0, Math.max(0, ended.length - endedJobs.capacity))) this.#forget(old.jobGraph.jobId);
  }

  /** The artifact goes with the last job that needs it; who uploads the same meanwhile is told that it is gone, and uploads it again. */
  async #cleanUpAfter({ jobGraph: { jobId }, artifact }: ManagedJob, persistence: JobPersistence): Promise<void> {
    const { blobs, env } = this.#init;
    try {
      await persistence.cleaned(jobId);
      const isNeeded = this.#accepting.size > 0 || [...this.#jobs.values()].some((other) => !other.ended && other.artifact === artifact);
      if (!isNeeded) await blobs.delete(artifact);
    } catch (error) {
      env.log.write("warn", `job ${jobId} could not be cleaned up: ${(error as Error).message}`);
    }
  }

  #forget(jobId: string): void {
    this.#expirations.get(jobId)?.cancel();
    this.#expirations.delete(jobId);
    this.#jobs.delete(jobId);
  }
}

/** Absolute: below what the job configures, or else the cluster's. */
export function checkpointDirectory(fs: Pick<FileSystem, "resolve">, fallback: string, config: JobGraph["config"], jobId: string): string {
  const configured = Configuration.of(config, allOptions).get(CHECKPOINTING_DIRECTORY);
  return `${configured === undefined ? fallback : fs.resolve(configured)}/${jobId}`;
}

function alreadySubmitted(jobId: string, what: string): MillraceError {
  return new MillraceError({ code: "JOB_ALREADY_SUBMITTED", message: `job ${jobId} ${what}` });
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
