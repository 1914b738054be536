import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { PARALLELISM, type LogSink, type UrlLike } from "@millrace/core";
import type { JobClient, JobExecutionResult, JobGraph, JobStatus } from "@millrace/graph";
import { JobProgram, buildLibraryBundle, bundleJob, endPrestarted, findLibraryBundle, prestartProgram, type BundledPackages, type JobArtifact, type LibraryEntries } from "@millrace/client";
import type { EarlyStart } from "./early-start.js";
import { jobPath } from "./job-path.js";
import { libraryEntries } from "./library-entries.js";

export interface RunJobOptions {
  /** The job's arguments: `process.argv.slice(2)` inside of it. */
  readonly args?: readonly string[];
  /** Shorthand for `parallelism.default`. */
  readonly parallelism?: number;
  /** Configuration by key; wins over what the job sets. Unknown keys are refused. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Global job parameters; win over the job's. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** How long the job's module may take to call `execute()`, when it is planned and in every slot; default 60 s. */
  readonly planningTimeoutMs?: number;
  /** Default: `print` lines to standard output, everything else to standard error. */
  readonly log?: LogSink;
  readonly onStatus?: (status: JobStatus) => void;
}

/** A job that was planned and runs on worker threads of this process. */
export interface SubmittedJob extends JobClient {
  readonly jobGraph: JobGraph;
  /** Resolves when the job's program, too, has ended; rejects when the code after its `execute()` threw. */
  readonly programEnded: Promise<void>;
  /** Where the REST server of this job listens, when its configuration sets `rest.port`. */
  readonly restUrl: string | undefined;
  /** Directory of the last completed checkpoint, while the job keeps it. */
  lastCheckpointPath(): string | undefined;
  /** Stops program and slots at once. */
  kill(): Promise<void>;
}

/**
 * Runs a job's module, TypeScript or JavaScript, on worker threads: `await runJob(new URL("./job.ts", import.meta.url))`.
 *
 * Only that module is run again in the slots, never the caller. Resolves when the job finished.
 * @throws `JOB_FAILED`, `JOB_CANCELED`, and everything planning can throw (`JOB_DOES_NOT_COMPILE`, `JOB_NOT_DEFINED`, `CONFIG_UNKNOWN_KEY`, …)
 */
export async function runJob(job: UrlLike | string, options: RunJobOptions = {}): Promise<JobExecutionResult> {
  const submitted = await submitJob(job, options);
  const result = await submitted.getJobExecutionResult();
  await submitted.programEnded;
  return result;
}

/** Like {@link runJob}, but resolves with a handle as soon as the job runs. */
export async function submitJob(job: UrlLike | string, options: RunJobOptions = {}, early?: EarlyStart): Promise<SubmittedJob> {
  const { LocalJobClient, WorkerSlots, consoleLog, embeddedJob, showJob } = await import("@millrace/cluster/embedded");
  const entries = early?.library ?? (await libraryEntries());
  const library = entries === undefined || early !== undefined ? entries : (findLibraryBundle(entries) ?? entries);
  const slots = new WorkerSlots();
  slots.prewarm(Math.max(1, Math.min(wantedParallelism(options), 2 * availableParallelism())), library?.millrace, library?.slot, options.config?.["slot.isolation"] === "process" ? "process" : "thread");
  let planned: PlannedJob | undefined;
  try {
    planned = await planJob(job, options, { early });
    const { artifact, program, jobGraph } = planned;
    for (const warning of program.warnings) (options.log ?? consoleLog).write("warn", warning);
    slots.load({ artifactUrl: artifact.url, source: artifact.source, args: options.args ?? [], entryUrl: artifact.library?.slot, loadTimeoutMs: options.planningTimeoutMs });
    const log = options.log ?? consoleLog;
    const master = embeddedJob({
      jobGraph, slots, log, onCollected: (...batch) => program.collected(...batch),
      ...(options.onStatus === undefined ? {} : { onStatus: options.onStatus }),
    });
    // Before it starts, so that a port that is taken is known before anything ran.
    const shown = await showJob(master, log);
    master.start();
    const client = new LocalJobClient(jobGraph.jobId, master);
    // Slots that were started early and never used, because the job ended before it was deployed.
    const closeSlots = (): void => void slots.close();
    master.result.then(closeSlots, closeSlots);
    program.attach(client);
    return {
      jobId: jobGraph.jobId, jobGraph, programEnded: program.ended, restUrl: shown?.url,
      getJobStatus: () => client.getJobStatus(), cancel: () => client.cancel(), getJobExecutionResult: () => client.getJobExecutionResult(),
      getAccumulators: () => client.getAccumulators(), getMetrics: () => client.getMetrics(), triggerCheckpoint: () => client.triggerCheckpoint(),
      triggerSavepoint: (directory, formatType) => client.triggerSavepoint(directory, formatType), stopWithSavepoint: (options) => client.stopWithSavepoint(options),
      lastCheckpointPath: () => master.lastCheckpointPath,
      kill: async () => {
        await Promise.all([program.terminate(), slots.close()]);
      },
    };
  } catch (error) {
    await Promise.all([planned?.program.terminate(), slots.close()]);
    throw error;
  }
}

/** What a plan may be told beside the options of a run. */
export interface PlanningOptions {
  /** The packages that go into the bundle; default none. */
  readonly packages?: BundledPackages | undefined;
  /** 32 hexadecimal digits; default random ones. */
  readonly jobId?: string | undefined;
  /** What was begun before the command was loaded; used if it suits. */
  readonly early?: EarlyStart | undefined;
  /** Awaited while the job is bundled, before anything of it runs. */
  readonly before?: Promise<unknown> | undefined;
  /** Called when the job is bundled, and what is awaited before it runs is there. */
  readonly bundled?: ((artifact: JobArtifact) => void) | undefined;
}

/** Bundles a job, with the packages it uses if those are asked for, and runs its program up to `execute()`. The program stays alive; terminate it when only the plan is wanted. */
export async function planJob(job: UrlLike | string, options: RunJobOptions = {}, { packages, jobId = randomUUID().replaceAll("-", ""), early, before, bundled }: PlanningOptions = {}): Promise<PlannedJob> {
  const library = early?.library ?? (await bundledLibrary());
  const prestarted = early?.program ?? (library === undefined ? undefined : prestartProgram(library.program, library.millrace));
  const name = typeof job === "string" ? job : job.href;
  const [artifact] = await Promise.all([early?.bundle(name, packages) ?? bundleJob(jobPath(name), library, packages), before]).catch((error: unknown) => {
    endPrestarted(prestarted);
    throw error;
  });
  bundled?.(artifact);
  const program = new JobProgram({
    artifactUrl: artifact.url, source: artifact.source, args: options.args ?? [], config: overrides(options), parameters: options.parameters ?? {},
    jobId, planningTimeoutMs: options.planningTimeoutMs ?? 60_000, entryUrl: artifact.library?.program, prestarted,
  });
  return { artifact, program, jobGraph: await program.plan };
}

async function bundledLibrary(): Promise<LibraryEntries | undefined> {
  const entries = await libraryEntries();
  return entries === undefined ? undefined : (findLibraryBundle(entries) ?? (await buildLibraryBundle(entries)));
}

export interface PlannedJob {
  readonly artifact: JobArtifact;
  readonly program: JobProgram;
  readonly jobGraph: JobGraph;
}

function overrides({ parallelism, config = {} }: RunJobOptions): Readonly<Record<string, unknown>> {
  return parallelism === undefined ? config : { ...config, [PARALLELISM.key]: parallelism };
}

function wantedParallelism(options: RunJobOptions): number {
  const wanted = Number(overrides(options)[PARALLELISM.key] ?? 1);
  return Number.isSafeInteger(wanted) ? wanted : 1;
}
