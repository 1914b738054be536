import { ClusterClient, METADATA_FILE } from "@millrace/cluster";
import type { MillraceError } from "@millrace/core";
import { SimulatedProcess, type Random } from "@millrace/env-sim";
import { translate, type Pipeline } from "@millrace/graph";
import type { JobSpec, Submission } from "../job/job-spec.js";
import { JOB_MANAGER_HOST, JOB_MANAGER_PORT, type SimulatedCluster } from "./cluster.js";

export interface OperatorInit {
  readonly cluster: SimulatedCluster;
  readonly spec: JobSpec;
  readonly build: (submission: Submission, process: SimulatedProcess) => Pipeline;
  readonly violate: (what: string) => void;
  /** Told of every submission: where its checkpoints go, and the id of the one it begins from, 0 without. */
  readonly begins: (directory: string, restoredCheckpoint: number) => void;
  /** The most slots that a job may need. */
  readonly slots: number;
}

/** A job that was submitted, and what it began from. */
interface SubmittedJob {
  readonly jobId: string;
  readonly restoredFrom: string | undefined;
}

const RETRY_MS = 150;

/**
 * Somebody who wants the job done: submits it, follows it, submits it again from its last checkpoint when the JobManager has forgotten it, and now and
 * then cancels it to go on at another parallelism.
 */
export class Operator {
  finished = false;
  submissions = 0;
  readonly #init: OperatorInit;
  readonly #process: SimulatedProcess;
  readonly #random: Random;
  #job: SubmittedJob | undefined;
  #client: ClusterClient | undefined;
  #rescales = false;
  /** Jobs that failed before they began. */
  readonly #unreadable = new Set<string>();

  constructor(init: OperatorInit) {
    this.#init = init;
    this.#process = new SimulatedProcess(init.cluster, "client", "client");
    this.#random = init.cluster.simulation.random("operator");
  }

  get jobId(): string | undefined {
    return this.#job?.jobId;
  }

  start(): void {
    void this.#follow();
  }

  /** The JobManager dies. What it alone knew, that the job had reached its end, nobody could find out from it any more. */
  jobManagerDies(): void {
    const { jobManager } = this.#init.cluster;
    const job = this.#job === undefined ? undefined : jobManager?.dispatcher.list().find(({ jobId }) => jobId === this.#job!.jobId);
    if (job === undefined) return;
    const { status, vertices } = jobManager!.dispatcher.job(job.jobId).master.view();
    const ended = vertices.length > 0 && vertices.every(({ subtasks }) => subtasks.every(({ current: { state } }) => state === "FINISHED"));
    if (status === "FINISHED" || (status === "RUNNING" && ended)) this.finished = true;
  }

  /** Cancels the job and submits it again at another parallelism. False when that is not possible now. */
  rescale(): boolean {
    if (this.#job === undefined || this.#client === undefined || this.finished || this.#rescales) return false;
    this.#rescales = true;
    this.#client.ask("cancelJob", { jobId: this.#job.jobId }).catch(() => {
      this.#rescales = false;
    });
    return true;
  }

  /** Asks for a checkpoint out of turn. */
  triggerCheckpoint(): boolean {
    if (this.#job === undefined || this.#client === undefined || this.finished) return false;
    this.#client.ask("triggerCheckpoint", { jobId: this.#job.jobId }).catch(() => undefined);
    return true;
  }

  async #follow(): Promise<void> {
    const { env } = this.#process;
    while (!this.finished) {
      try {
        this.#client = await ClusterClient.connect({ env, jobManagers: () => [{ host: JOB_MANAGER_HOST, port: JOB_MANAGER_PORT }] });
        await this.#work(this.#client);
      } catch (error) {
        env.log.write("info", `once more: ${(error as Error).message}`);
      }
      this.#client?.close();
      this.#client = undefined;
      await this.#wait(RETRY_MS);
    }
  }

  async #work(client: ClusterClient): Promise<void> {
    const jobs = await client.ask("listJobs", undefined);
    const current = jobs.find(({ jobId, status }) => jobId === this.#job?.jobId && status !== "CANCELED" && !this.#unreadable.has(jobId));
    for (const { jobId, status } of jobs) if (jobId !== current?.jobId && status !== "CANCELED") await client.ask("cancelJob", { jobId });
    const jobId = current?.jobId ?? (await this.#submit(client));
    try {
      await client.ask("jobResult", { jobId });
      this.finished = true;
    } catch (error) {
      const { code } = error as MillraceError;
      if (code === "JOB_FAILED") this.#failed(error as Error);
      else if (code !== "JOB_CANCELED") throw error;
    }
  }

  /** Nothing that happens here may end the job for good, but that the checkpoint cannot be read which it was to begin from: then it is submitted again. */
  #failed(error: Error): void {
    const causes: Error[] = [];
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) causes.push(cause);
    const { jobId, restoredFrom } = this.#job!;
    if ((causes.at(-1) as Partial<MillraceError>).code === "FILE_IO_FAILED" && restoredFrom !== undefined && this.#lastCheckpoint() === restoredFrom) {
      this.#process.env.log.write("info", `job ${jobId} could not read what it was to begin from`);
      this.#unreadable.add(jobId);
      return;
    }
    this.#init.violate(`the job failed for good: ${causes.map(({ message }) => message).join(": ")}`);
    this.finished = true;
  }

  async #submit(client: ClusterClient): Promise<string> {
    const { cluster, spec, build, slots } = this.#init;
    const restoredFrom = this.#lastCheckpoint();
    const run = ++this.submissions;
    this.#rescales = false;
    const config = { ...spec.config, ...(restoredFrom === undefined ? {} : { "execution.state-recovery.path": restoredFrom }) };
    const submission: Submission = { spec: { ...spec, config }, run, parallelism: this.#random.int(1, slots) };
    const jobId = this.#process.env.randomHex(16);
    this.#init.begins(`/checkpoints/${jobId}`, Number(restoredFrom?.slice(restoredFrom.lastIndexOf("-") + 1) ?? 0));
    const jobGraph = translate(build(submission, this.#process), { jobId });
    cluster.simulation.note(`submission ${run} of the job as ${jobId} at parallelism ${submission.parallelism}, from ${restoredFrom ?? "the start"}`);
    const artifact = await client.upload(new TextEncoder().encode(JSON.stringify(submission)));
    this.#job = { jobId, restoredFrom };
    await client.submit({ jobGraph, artifact, source: "simulated.ts", args: [], cancelOnExit: false });
    return jobId;
  }

  /** The newest checkpoint of the last submission; while it has none, what it began from. */
  #lastCheckpoint(): string | undefined {
    if (this.#job === undefined) return undefined;
    const { jobId, restoredFrom } = this.#job;
    const directory = `/checkpoints/${jobId}/chk-`;
    const complete = this.#init.cluster.disk.paths.filter((path) => path.startsWith(directory) && path.endsWith(`/${METADATA_FILE}`));
    const ids = complete.map((path) => Number(path.slice(directory.length, -METADATA_FILE.length - 1)));
    return ids.length === 0 ? restoredFrom : `${directory}${Math.max(...ids)}`;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#process.env.clock.setTimer(ms, resolve));
  }
}
