import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isMillraceError } from "@millrace/core";
import { ClusterClient, nodeClusterEnv } from "@millrace/cluster/process";
import type { JobMetrics } from "@millrace/graph";
import type { Journal } from "../report/journal.js";
import { Interrupted, TookTooLong, eventually, sleep, within } from "./waiting.js";
import type { World } from "./world.js";

/** What is submitted. */
export interface JobToRun {
  /** Path of its module. */
  readonly module: string;
  readonly args: readonly string[];
  readonly config: Readonly<Record<string, string>>;
}

const POLL_MS = 500;
const ANSWER_LIMIT_MS = 5000;
const SUBMIT_LIMIT_MS = 240_000;
/** A cluster whose leader says for so long that it knows no such job has lost it. */
const UNKNOWN_LIMIT_MS = 60_000;
const over: ReadonlySet<string> = new Set(["FINISHED", "FAILED", "CANCELED"]);

/** The one who wants the job done: submits it, watches it, stops it and starts it again from where it stopped. */
export class JobControl {
  readonly #world: World;
  readonly #job: JobToRun;
  readonly #journal: Journal;
  readonly #signal: AbortSignal;
  #jobId = "";
  #client: ClusterClient | undefined;
  #status = "";
  #stops = 0;
  #isDraining = false;
  #failure: Error | undefined;
  #watching: Promise<void> | undefined;
  #isClosed = false;
  #unknownSinceMs: number | undefined;
  #seen = { restarts: 0, checkpoints: 0, rescales: 0 };
  restarts = 0;
  rescales = 0;
  checkpoints = 0;
  /** When each was seen to be complete. */
  readonly checkpointTimesMs: number[] = [];
  readonly checkpointDurationsMs: number[] = [];
  readonly restartDurationsMs: number[] = [];

  constructor(world: World, job: JobToRun, journal: Journal, signal: AbortSignal) {
    this.#world = world;
    this.#job = job;
    this.#journal = journal;
    this.#signal = signal;
  }

  get status(): string {
    return this.#status;
  }

  /** Why the job is lost, once it is. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Submits the job, and keeps an eye on it from then on. */
  async start(): Promise<void> {
    await this.#submit(undefined);
    this.#watching = this.#watch();
  }

  savepoint(): Promise<string> {
    return this.#ask((client, jobId) => client.ask("triggerSavepoint", { jobId, directory: this.#world.folder("savepoints") }));
  }

  rescale(parallelism: number): Promise<void> {
    return this.#ask((client, jobId) => client.ask("rescaleJob", { jobId, parallelism }));
  }

  /** Stops the job behind a savepoint; whoever watches it starts it again from there once it has stopped. */
  async stopAndResume(): Promise<void> {
    await this.#stop(false);
  }

  /** The end of input: all windows fire, everything is committed. Resolves when the job has finished. */
  async drain(limitMs: number): Promise<void> {
    this.#isDraining = true;
    const endMs = performance.now() + limitMs;
    let said = "";
    while (this.#status !== "FINISHED") {
      this.check();
      if (performance.now() > endMs) throw new TookTooLong(`the job could not be stopped with a savepoint within ${limitMs / 1000} s: ${said}`);
      try {
        await within(limitMs, "stopping", this.#signal, this.#stop(true));
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        said = (error as Error).message;
        this.#journal.note(`the stop failed: ${said}`);
        await sleep(2000, this.#signal);
      }
      await eventually("the end of the job is seen", 30_000, this.#signal, () => this.#status === "FINISHED").catch((error: Error) => {
        if (error instanceof Interrupted) throw error;
      });
    }
  }

  /** @throws when the job is lost */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#client?.close();
    await this.#watching;
  }

  async #stop(drain: boolean): Promise<void> {
    const directory = join(this.#world.folder("stops"), `${String(++this.#stops).padStart(3, "0")}${drain ? "-drain" : ""}`);
    const path = await this.#ask((client, jobId) => client.ask("stopWithSavepoint", { jobId, directory, drain }));
    this.#journal.note(`stopped behind ${path.slice(this.#world.disk.path.length + 1)}`);
  }

  /** @throws what the cluster answers */
  async #ask<R>(question: (client: ClusterClient, jobId: string) => Promise<R>): Promise<R> {
    const client = await this.#connect();
    try {
      return await question(client, this.#jobId);
    } finally {
      client.close();
    }
  }

  #connect(): Promise<ClusterClient> {
    return ClusterClient.connect({ env: nodeClusterEnv({ write: () => undefined }), jobManagers: () => this.#world.directAddresses, searchTimeoutMs: 60_000 });
  }

  async #submit(savepoint: string | undefined): Promise<void> {
    const { module, args, config } = this.#job;
    const definitions = Object.entries(config).flatMap(([key, value]) => ["-D", `${key}=${value}`]);
    const endMs = performance.now() + SUBMIT_LIMIT_MS;
    for (;;) {
      const run = await this.#world.cluster.run("run", "-d", "-m", this.#world.jobManagerAddresses, "-p", "2", ...(savepoint === undefined ? [] : ["-s", savepoint]), ...definitions, module, ...args);
      if (this.#signal.aborted) throw new Interrupted();
      const jobId = /JobID ([0-9a-f]{32})/.exec(run.output)?.[1] ?? (await this.#running());
      if (jobId !== undefined) {
        this.#jobId = jobId;
        this.#seen = { restarts: 0, checkpoints: 0, rescales: 0 };
        this.#unknownSinceMs = undefined;
        this.#journal.note(`the job runs as ${jobId}${savepoint === undefined ? "" : `, from ${savepoint.slice(this.#world.disk.path.length + 1)}`}`);
        return;
      }
      if (performance.now() > endMs) throw new Error(`the job could not be submitted within ${SUBMIT_LIMIT_MS / 1000} s:\n${run.output}`);
      this.#journal.note(`the job was not submitted: ${run.output.trim().split("\n").slice(0, 3).join(" | ")}`);
      await sleep(1000, this.#signal);
    }
  }

  /** A submission whose answer was lost may have been taken. */
  async #running(): Promise<string | undefined> {
    try {
      const jobs = await within(ANSWER_LIMIT_MS, "the list of jobs", this.#signal, this.#ask((client) => client.ask("listJobs", undefined)));
      return jobs.find(({ jobId, status }) => jobId !== this.#jobId && !over.has(status))?.jobId;
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      return undefined;
    }
  }

  async #watch(): Promise<void> {
    while (!this.#isClosed && this.#failure === undefined) {
      try {
        await this.#look();
      } catch (error) {
        if (this.#isClosed || error instanceof Interrupted) return;
        this.#failure = error as Error;
        return;
      }
      await sleep(POLL_MS, this.#signal).catch(() => undefined);
      if (this.#signal.aborted) return;
    }
  }

  async #look(): Promise<void> {
    try {
      this.#client ??= await within(ANSWER_LIMIT_MS, "the connection", this.#signal, this.#connect());
      // Of jobs that have ended under an earlier leader only the status is known.
      const ref = { jobId: this.#jobId };
      this.#status = await within(ANSWER_LIMIT_MS, "the status", this.#signal, this.#client.ask("jobStatus", ref));
      this.#unknownSinceMs = undefined;
      if (!over.has(this.#status)) this.#count(await within(ANSWER_LIMIT_MS, "the metrics", this.#signal, this.#client.ask("jobMetrics", ref)));
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      this.#client?.close();
      this.#client = undefined;
      this.#status = "unknown";
      if (isMillraceError(error) && error.code === "JOB_UNKNOWN") this.#unknown(error);
      return;
    }
    if (this.#status === "FAILED" || this.#status === "CANCELED") throw new Error(`the job is ${this.#status}: ${await this.#cause()}`);
    if (this.#status === "FINISHED" && !this.#isDraining) await this.#resume();
  }

  async #cause(): Promise<string> {
    const error = await within(ANSWER_LIMIT_MS, "the cause", this.#signal, this.#client!.ask("jobResult", { jobId: this.#jobId })).catch((failure: Error) => failure);
    const causes: string[] = [];
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) causes.push(`${isMillraceError(cause) ? `${cause.code} ` : ""}${cause.message}`);
    return causes.join(" <- ");
  }

  #unknown(error: Error): void {
    this.#unknownSinceMs ??= performance.now();
    if (performance.now() - this.#unknownSinceMs > UNKNOWN_LIMIT_MS) throw error;
  }

  #count({ restarts, rescales, checkpointsCompleted, lastCheckpointDurationMs, lastRestartDurationMs }: JobMetrics): void {
    // Each leader counts from zero.
    const since = (now: number, seen: number): number => (now < seen ? now : now - seen);
    const [newRestarts, newRescales] = [since(restarts, this.#seen.restarts), since(rescales, this.#seen.rescales)];
    const newCheckpoints = since(checkpointsCompleted, this.#seen.checkpoints);
    this.#seen = { restarts, rescales, checkpoints: checkpointsCompleted };
    this.restarts += newRestarts;
    this.rescales += newRescales;
    this.checkpoints += newCheckpoints;
    if (newCheckpoints > 0) this.checkpointTimesMs.push(performance.now());
    if (newCheckpoints > 0 && lastCheckpointDurationMs !== undefined) this.checkpointDurationsMs.push(lastCheckpointDurationMs);
    if (newRestarts + newRescales > 0 && lastRestartDurationMs !== undefined) this.restartDurationsMs.push(lastRestartDurationMs);
  }

  /** The job has finished behind one of our savepoints: it goes on from the newest that is complete. */
  async #resume(): Promise<void> {
    const root = this.#world.folder("stops");
    const savepoints = existsSync(root)
      ? readdirSync(root).flatMap((stop) => readdirSync(join(root, stop)).map((name) => join(root, stop, name))).filter((path) => existsSync(join(path, "_metadata")))
      : [];
    const newest = savepoints.toSorted((a, b) => statSync(join(b, "_metadata")).mtimeMs - statSync(join(a, "_metadata")).mtimeMs)[0];
    if (newest === undefined) throw new Error("the job has finished, though nobody has stopped it");
    this.#status = "stopped";
    await this.#submit(newest);
  }
}
