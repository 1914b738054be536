import { ClusterClient, type ClientMethods } from "@millrace/cluster";
import type { MillraceError } from "@millrace/core";
import { SimulatedProcess, type Random } from "@millrace/env-sim";
import { translate, type JobGraph, type Pipeline } from "@millrace/graph";
import type { JobSpec, Submission } from "../job/job-spec.js";
import type { SimulatedCluster } from "./cluster.js";
import { JOB_MANAGER_PORT } from "./job-managers.js";
import { SAVEPOINTS, STOP_SAVEPOINTS, type RestartPoints, type SubmittedJob } from "./restart-points.js";

export interface OperatorInit {
  readonly cluster: SimulatedCluster;
  readonly spec: JobSpec;
  readonly build: (submission: Submission, process: SimulatedProcess) => Pipeline;
  readonly violate: (what: string) => void;
  /** Told of every submission: where its checkpoints go, and the id of the one it begins from, 0 without. */
  readonly begins: (directory: string, restoredCheckpoint: number) => void;
  readonly restartPoints: RestartPoints;
  /** What the job has not put out yet, or too often. */
  readonly undone: () => string | undefined;
  /** Records that the job has put out and nobody will ever commit. */
  readonly unprepared: () => number;
  /** The most slots that a job may need. */
  readonly slots: number;
}

interface Attempt extends SubmittedJob {
  readonly jobGraph: JobGraph;
  readonly text: string;
  /** The cluster has said that it will run it. */
  accepted: boolean;
}

const RETRY_MS = 150;

/**
 * Somebody who wants the job done: submits it, follows it, submits it again from its newest state when the JobManager has forgotten it, and now and
 * then stops or cancels it to go on at another parallelism. A cluster with high availability forgets nothing.
 */
export class Operator {
  finished = false;
  submissions = 0;
  fromSavepoints = 0;
  claims = 0;
  readonly #init: OperatorInit;
  readonly #process: SimulatedProcess;
  readonly #random: Random;
  readonly #survives: boolean;
  #job: Attempt | undefined;
  #client: ClusterClient | undefined;
  /** The job is on its way to its end, so that another one goes on from there. */
  #moving = false;
  /** The job was asked to stop: that it finished need not mean that all is done. */
  #stopAsked = false;
  /** What jobs were started from and have not claimed: it stays. */
  readonly lent = new Set<string>();
  /** Jobs that have ended. */
  readonly #over = new Set<string>();

  constructor(init: OperatorInit) {
    const { cluster } = init;
    this.#init = init;
    this.#process = new SimulatedProcess(cluster, "client", "client");
    this.#random = cluster.simulation.random("operator");
    this.#survives = cluster.highAvailability.spec.kind !== "none";
  }

  start(): void {
    void this.#follow();
  }

  /** The only JobManager dies. What it alone knew, that the job had reached its end, nobody could find out from it any more. */
  jobManagerDies(): void {
    const leader = this.#init.cluster.leader;
    if (this.#survives || leader === undefined) return;
    const job = leader.dispatcher.list().find(({ jobId }) => jobId === this.#job?.jobId);
    if (job === undefined || !this.#isDone()) return;
    const { status, vertices } = leader.dispatcher.job(job.jobId).master.view();
    const ended = vertices.length > 0 && vertices.every(({ subtasks }) => subtasks.every(({ current: { state } }) => state === "FINISHED"));
    if (status === "FINISHED" || (status === "RUNNING" && ended)) this.finished = true;
  }

  /** Cancels the job to submit it again at another parallelism. False when that is not possible now. */
  moveElsewhere(): boolean {
    return this.#move((client, jobId) => client.ask("cancelJob", { jobId }));
  }

  /** Stops the job behind a savepoint to go on from there. */
  stopAndResume(drain: boolean): boolean {
    this.#stopAsked ||= this.#canAct && !this.#moving;
    return this.#move((client, jobId) => client.ask("stopWithSavepoint", { jobId, directory: STOP_SAVEPOINTS, drain }));
  }

  /** Takes a savepoint; with `moves` the job is cancelled then, and another one begins from there. */
  takeSavepoint(moves: boolean): boolean {
    return this.#ask("triggerSavepoint", { directory: `${SAVEPOINTS}/plain` }, () => {
      if (moves) this.moveElsewhere();
    });
  }

  /** Asks for another parallelism of the job that runs. */
  rescaleInPlace(parallelism: number): boolean {
    return this.#ask("rescaleJob", { parallelism });
  }

  /** Asks for a checkpoint out of turn. */
  triggerCheckpoint(): boolean {
    return this.#ask("triggerCheckpoint", {});
  }

  get #canAct(): boolean {
    return this.#job !== undefined && this.#client !== undefined && !this.finished;
  }

  #ask<M extends "triggerSavepoint" | "triggerCheckpoint" | "rescaleJob">(method: M, ask: Omit<ClientMethods[M]["ask"], "jobId">, then: () => void = () => undefined): boolean {
    if (!this.#canAct) return false;
    const { jobId } = this.#job!;
    this.#client!.ask(method, { ...ask, jobId } as ClientMethods[M]["ask"]).then(() => {
      if (this.#job?.jobId === jobId) then();
    }, () => undefined);
    return true;
  }

  #move(ask: (client: ClusterClient, jobId: string) => Promise<unknown>): boolean {
    if (!this.#canAct || this.#moving) return false;
    const { jobId } = this.#job!;
    this.#moving = true;
    ask(this.#client!, jobId).catch((error: Error) => {
      this.#process.env.log.write("info", `the job goes on: ${error.message}`);
      if (this.#job?.jobId === jobId) this.#moving = false;
    });
    return true;
  }

  async #follow(): Promise<void> {
    const { cluster } = this.#init;
    const { env } = this.#process;
    const addresses = cluster.jobManagers.hosts.map((host) => ({ host, port: JOB_MANAGER_PORT }));
    while (!this.finished) {
      try {
        this.#client = await ClusterClient.connect({ env, jobManagers: () => addresses });
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
    const jobId = this.#survives ? await this.#jobOfSurvivingCluster(client) : await this.#jobOfForgetfulCluster(client);
    try {
      await client.ask("jobResult", { jobId });
      if (this.#init.unprepared() > 0) this.#init.violate(`the job has finished, and ${this.#init.unprepared()} records were written behind what it finished with`);
      this.#over.add(jobId);
      if (this.#isDone()) this.finished = true;
      else this.#init.cluster.simulation.note(`the job stopped before all was done: ${this.#init.undone()}`);
    } catch (error) {
      const { code } = error as MillraceError;
      if (code === "JOB_CANCELED") this.#over.add(jobId);
      else if (code === "JOB_FAILED") this.#failed(jobId, error as Error);
      else throw error;
    }
  }

  /** A job that finished behind a savepoint has another one to go on, unless all was done. */
  #isDone(): boolean {
    return !this.#stopAsked || this.#init.undone() === undefined;
  }

  /** Whatever was accepted is run to its end; what perhaps was not is submitted again as the same job. */
  async #jobOfSurvivingCluster(client: ClusterClient): Promise<string> {
    if (this.#job === undefined || this.#over.has(this.#job.jobId)) this.#prepare();
    const job = this.#job!;
    if (!job.accepted) {
      const artifact = await client.upload(new TextEncoder().encode(job.text));
      await client.submit({ jobGraph: job.jobGraph, artifact, source: "simulated.ts", args: [], cancelOnExit: false }).catch((error: MillraceError) => {
        if (error.code !== "JOB_ALREADY_SUBMITTED") throw error;
      });
      job.accepted = true;
    }
    return job.jobId;
  }

  async #jobOfForgetfulCluster(client: ClusterClient): Promise<string> {
    const jobs = await client.ask("listJobs", undefined);
    const current = jobs.find(({ jobId }) => jobId === this.#job?.jobId && !this.#over.has(jobId));
    for (const { jobId, status } of jobs) if (jobId !== current?.jobId && status !== "CANCELED") await client.ask("cancelJob", { jobId });
    if (current !== undefined) return current.jobId;
    this.#prepare();
    const { jobId, jobGraph, text } = this.#job!;
    const artifact = await client.upload(new TextEncoder().encode(text));
    await client.submit({ jobGraph, artifact, source: "simulated.ts", args: [], cancelOnExit: false });
    return jobId;
  }

  /** Nothing that happens here may end the job for good, but that the state cannot be read which it was to begin from: then it is submitted again. */
  #failed(jobId: string, error: Error): void {
    const causes: Error[] = [];
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) causes.push(cause);
    const { restoredFrom } = this.#job!;
    if ((causes.at(-1) as Partial<MillraceError>).code === "FILE_IO_FAILED" && restoredFrom !== undefined && this.#init.restartPoints.newest(this.#job!) === restoredFrom) {
      this.#process.env.log.write("info", `job ${jobId} could not read what it was to begin from`);
      this.#over.add(jobId);
      return;
    }
    this.#init.violate(`the job failed for good: ${causes.map(({ message }) => message).join(": ")}`);
    this.finished = true;
  }

  /** The next submission: from the newest state that there is. */
  #prepare(): void {
    const { cluster, spec, build, slots, restartPoints } = this.#init;
    const restoredFrom = this.#job === undefined ? undefined : restartPoints.newest(this.#job);
    const run = ++this.submissions;
    const claim = restoredFrom !== undefined && this.#random.chance(0.4);
    if (claim) this.claims++;
    if (claim) this.lent.delete(restoredFrom);
    else if (restoredFrom !== undefined) this.lent.add(restoredFrom);
    if (restoredFrom?.startsWith(`${SAVEPOINTS}/`) === true) this.fromSavepoints++;
    const recovery = restoredFrom === undefined ? {} : { "execution.state-recovery.path": restoredFrom, "execution.state-recovery.claim-mode": claim ? "CLAIM" : "NO_CLAIM" };
    const submission: Submission = { spec: { ...spec, config: { ...spec.config, ...recovery } }, run, parallelism: this.#random.int(1, slots) };
    const jobId = this.#process.env.randomHex(16);
    this.#init.begins(`/checkpoints/${jobId}`, Number(/chk-(\d+)$/.exec(restoredFrom ?? "")?.[1] ?? 0));
    const jobGraph = translate(build(submission, this.#process), { jobId });
    cluster.simulation.note(`submission ${run} of the job as ${jobId} at parallelism ${submission.parallelism}, ${claim ? "claiming" : "from"} ${restoredFrom ?? "the start"}`);
    this.#moving = this.#stopAsked = false;
    this.#job = { jobId, restoredFrom, jobGraph, text: JSON.stringify(submission), accepted: false };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#process.env.clock.setTimer(ms, resolve));
  }
}
