import { isMillraceError, type Env, type LogSink } from "@millrace/core";
import type { JobGraph, JobStatus } from "@millrace/graph";
import { JobMaster } from "../job-master/job-master.js";
import type { ResultRoom } from "../job-master/result-room.js";
import type { JobPersistence } from "./job-persistence.js";
import type { ResourceRequirements } from "../scheduler/resource-requirements.js";
import type { SlotProvider } from "../scheduler/slot-provider.js";

/** Follows a job from outside. */
export interface JobObserver {
  /** In order per (collectId, subtask); all of it before the job's result. The buffer must not be changed. */
  collected?(collectId: string, subtaskIndex: number, batch: ArrayBuffer): void | Promise<void>;
  /** What it and {@link collected} return resolves when more may come: the job's sinks wait for the slowest observer. */
  log?(level: Parameters<LogSink["write"]>[0], line: string): void | Promise<void>;
  status?(status: JobStatus): void;
}

export interface ManagedJobInit {
  readonly env: Pick<Env, "clock" | "rng" | "fs" | "log">;
  readonly jobGraph: JobGraph;
  /** Key of its artifact in the blob store. */
  readonly artifact: string;
  readonly checkpointDirectory: string;
  readonly savepointDirectory: string | undefined;
  /** Of the JobManager, absolute. */
  readonly temporaryDirectory: string;
  readonly resultRoom: ResultRoom;
  /** Makes the job's slots; what they have to say to the user goes to `log`. */
  readonly slots: (log: LogSink) => SlotProvider;
  /** With high availability. */
  readonly persistence?: JobPersistence | undefined;
  /** Number of the first attempt; default 0. */
  readonly firstAttempt?: number;
  /** As they were changed under an earlier leader. */
  readonly requirements?: ResourceRequirements | undefined;
}

const finalStates: ReadonlySet<JobStatus> = new Set(["FINISHED", "CANCELED", "FAILED", "SUSPENDED"]);

/** What a list of jobs shows of one. */
export interface JobSummary {
  readonly jobId: string;
  readonly jobName: string;
  readonly status: JobStatus;
  readonly startTimeMs: number;
  /** Of a job that has ended. */
  readonly endTimeMs: number | undefined;
  /** Number of subtasks. */
  readonly tasks: number;
}

/** A job in the Dispatcher: its JobMaster, when it entered which status, and who follows it. */
export class ManagedJob {
  readonly jobGraph: JobGraph;
  readonly artifact: string;
  readonly master: JobMaster;
  readonly startTimeMs: number;
  /** When the job entered each status last. */
  readonly statusTimesMs = new Map<JobStatus, number>();
  readonly #observers = new Set<JobObserver>();
  readonly #clock: Env["clock"];

  constructor(init: ManagedJobInit) {
    const { env, jobGraph, persistence } = init;
    this.jobGraph = jobGraph;
    this.artifact = init.artifact;
    this.#clock = env.clock;
    this.startTimeMs = env.clock.nowMs();
    const label = `${jobGraph.jobName} (${jobGraph.jobId.slice(0, 8)})`;
    const onLog = (level: Parameters<LogSink["write"]>[0], line: string): void | Promise<void> => {
      if (level !== "print") env.log.write(level, `${label}: ${line}`);
      return this.#tellAll((observer) => observer.log?.(level, line));
    };
    const log: LogSink = { write: (level, line) => void onLog(level, line) };
    this.statusTimesMs.set("INITIALIZING", this.startTimeMs);
    this.master = new JobMaster({
      env: { ...env, log }, jobGraph, checkpointDirectory: init.checkpointDirectory, savepointDirectory: init.savepointDirectory, slots: init.slots(log),
      resultRoom: init.resultRoom,
      // TaskManagers put their own in its place.
      temporaryDirectory: `${init.temporaryDirectory}/${jobGraph.jobId}`,
      onCollected: (collectId, subtaskIndex, batch) => this.#tellAll((observer) => observer.collected?.(collectId, subtaskIndex, batch)),
      onLog,
      onStatus: (status) => {
        this.statusTimesMs.set(status, this.#clock.nowMs());
        env.log.write("info", `${label}: ${status}`);
        for (const observer of this.#observers) observer.status?.(status);
      },
      ...(persistence === undefined ? {} : {
        checkpoints: persistence.checkpoints(jobGraph, { fs: env.fs, log }), firstAttempt: init.firstAttempt ?? 0,
        requirements: init.requirements, onRequirements: (requirements) => persistence.requirements(jobGraph.jobId, requirements),
        onDecided: (end) => persistence.decided(jobGraph, this.startTimeMs, env.clock.nowMs(), end),
      }),
    });
    this.#logFailure(label, env.log);
  }

  /** Clients that are attached say it themselves; of the others the JobManager's log is all there is. */
  #logFailure(label: string, log: LogSink): void {
    this.master.result.catch((error: unknown) => {
      if (!isMillraceError(error) || error.code !== "JOB_FAILED") return;
      const { cause } = error;
      const reason = isMillraceError(cause) ? `${cause.code}: ${cause.message}` : cause instanceof Error ? cause.message : String(cause);
      log.write("error", `${label}: failed: ${reason}`);
    });
  }

  get ended(): boolean {
    return finalStates.has(this.master.status);
  }

  get summary(): JobSummary {
    const { status, jobGraph: { jobId, jobName, vertices } } = this.master;
    return {
      jobId, jobName, status, startTimeMs: this.startTimeMs, endTimeMs: this.ended ? this.statusTimesMs.get(status) : undefined,
      tasks: vertices.reduce((sum, { parallelism }) => sum + parallelism, 0),
    };
  }

  /** @returns stops following */
  observe(observer: JobObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  #tellAll(tell: (observer: JobObserver) => void | Promise<void>): void | Promise<void> {
    let busy: Promise<void>[] | undefined;
    for (const observer of this.#observers) {
      const taken = tell(observer);
      if (taken !== undefined) (busy ??= []).push(taken);
    }
    return busy === undefined ? undefined : Promise.all(busy).then(() => undefined);
  }
}
