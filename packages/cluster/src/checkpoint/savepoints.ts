import { MillraceError, SAVEPOINT_DIRECTORY, deserializeError } from "@millrace/core";
import type { Configuration, Env, SerializedError } from "@millrace/core";
import type { JobGraph, SavepointFormat, StopOptions } from "@millrace/graph";
import type { CheckpointOptions } from "@millrace/runtime";
import type { CompletedStop } from "../job-master/job-end.js";
import type { CheckpointCoordinator } from "./checkpoint-coordinator.js";
import { savepointName } from "./savepoint-files.js";

export interface SavepointsInit {
  readonly env: Pick<Env, "fs" | "rng" | "log">;
  readonly jobGraph: JobGraph;
  readonly config: Configuration;
  readonly coordinator: CheckpointCoordinator;
  /** For jobs that configure none. */
  readonly defaultDirectory: string | undefined;
  /** How the job ends. */
  readonly result: () => Promise<unknown>;
}

/** Savepoints of one job that are asked for from outside. */
export class Savepoints {
  readonly #init: SavepointsInit;
  /** The job is stopping behind this complete savepoint. */
  #behind: string | undefined;
  #onFailure: ((error: SerializedError) => void)[] = [];
  /** By the id of the request. */
  readonly #stops = new Map<string, Promise<string>>();
  #requestId: string | undefined;
  /** A savepoint that the job has been drained into under an earlier leader. */
  #drained: string | undefined;

  constructor(init: SavepointsInit) {
    this.#init = init;
  }

  /**
   * Takes a savepoint; resolves with its directory. Waits for a job that is starting up or restarting.
   * @throws `SAVEPOINT_FORMAT_UNKNOWN`, `SAVEPOINT_IN_BATCH`, `SAVEPOINT_DIRECTORY_MISSING`, `SAVEPOINT_DIRECTORY_INVALID`, `CHECKPOINT_FAILED`, `JOB_NOT_RUNNING` when the job
   * ends before
   */
  async take(directory?: string, formatType?: SavepointFormat): Promise<string> {
    const savepointFormat = optionOf(formatType);
    const parent = await this.#prepare(directory);
    return (await this.#init.coordinator.triggerSavepoint(this.#newDirectory(parent), { savepointFormat })).path;
  }

  /**
   * Stops the job behind a savepoint: no record is processed after it, and what it holds ready is committed. Resolves with the savepoint's directory
   * when the job has finished. When the savepoint fails the job goes on: without `drain` where it was, with `drain` from the last checkpoint.
   * @throws what {@link take} throws, and `STOP_FAILED` when the savepoint is complete but the job failed while it stopped: it goes on from there
   */
  stop(options: StopOptions, requestId?: string): Promise<string> {
    const stop = this.#drained === undefined ? this.#stop(options, requestId) : this.#ending(this.#drained);
    if (requestId !== undefined) {
      this.#stops.set(requestId, stop);
      stop.catch(() => undefined);
    }
    return stop;
  }

  /** The stop that was asked for under this id. */
  stopOf(requestId: string | undefined): Promise<string> | undefined {
    return requestId === undefined ? undefined : this.#stops.get(requestId);
  }

  /** The stop that is complete as soon as the job has finished. */
  get completedStop(): CompletedStop | undefined {
    return this.#behind === undefined ? undefined : { path: this.#behind, requestId: this.#requestId };
  }

  /**
   * The job starts from a savepoint that it was being stopped behind when its leader was lost. After `drain` there is nothing left to do, and it ends
   * by itself. Otherwise it goes on; who waits for the stop asks for it again.
   */
  leaderLost(path: string, stop: NonNullable<CheckpointOptions["stop"]>): void {
    const { log } = this.#init.env;
    if (stop === "drain") this.#drained = this.#behind = path;
    else log.write("warn", `the job was being stopped behind the savepoint ${path} when its leader was lost; it goes on from there, and stops when that is asked for again`);
  }

  async #ending(path: string): Promise<string> {
    await this.#init.result();
    return path;
  }

  async #stop({ directory, drain = false, formatType }: StopOptions, requestId: string | undefined): Promise<string> {
    const savepointFormat = optionOf(formatType);
    const parent = await this.#prepare(directory);
    const { coordinator, result } = this.#init;
    const failed = new Promise<never>((_, reject) => {
      this.#onFailure.push((error) => reject(stopFailed(this.#behind!, error)));
    });
    failed.catch(() => undefined);
    this.#requestId = requestId;
    const { path } = await coordinator.triggerSavepoint(this.#newDirectory(parent), { stop: drain ? "drain" : "suspend", savepointFormat });
    await Promise.race([result(), failed]);
    return path;
  }

  /** The savepoint at `path` is complete, and the job's tasks are about to finish. */
  stopsBehind(path: string): void {
    this.#behind = path;
  }

  /** The job did not finish; it may restart. */
  jobFailed(error: SerializedError): void {
    if (this.#behind === undefined) return;
    for (const tell of this.#onFailure.splice(0)) tell(error);
    this.#behind = this.#drained = undefined;
  }

  async #prepare(directory: string | undefined): Promise<string> {
    const { jobGraph, config, env, defaultDirectory } = this.#init;
    if (jobGraph.runtimeMode === "BATCH") throw noneInBatch(jobGraph, "savepoints");
    const wanted = directory ?? config.get(SAVEPOINT_DIRECTORY) ?? defaultDirectory;
    if (wanted === undefined || wanted === "") {
      throw new MillraceError({
        code: "SAVEPOINT_DIRECTORY_MISSING", message: "no directory was given for the savepoint, and the job has none configured",
        hint: "name one, or set execution.checkpointing.savepoint-dir", location: { option: SAVEPOINT_DIRECTORY.key },
      });
    }
    const resolved = env.fs.resolve(wanted).replace(/\/+$/, "");
    try {
      await env.fs.mkdirs(resolved);
    } catch (cause) {
      throw new MillraceError({
        code: "SAVEPOINT_DIRECTORY_INVALID", message: `cannot write savepoints to "${resolved}": ${(cause as Error).message}`, location: { file: resolved }, cause,
        hint: "it has to be a directory that the JobManager and all TaskManagers can write to",
      });
    }
    return resolved;
  }

  #newDirectory(parent: string): () => string {
    const { jobGraph, env } = this.#init;
    return () => `${parent}/${savepointName(jobGraph.jobId, env.rng)}`;
  }
}

function stopFailed(path: string, error: SerializedError): MillraceError {
  return new MillraceError({
    code: "STOP_FAILED", recovery: "restart", message: `the savepoint ${path} is complete, but the job failed while it stopped: ${error.message}`,
    hint: "the job goes on from that savepoint if its restart strategy allows; it may not have committed all that the savepoint holds", cause: deserializeError(error),
  });
}

/** What stands in the middle of a batch job could not be gone on from: its exchanges hold whole stages. */
export function noneInBatch({ jobName }: JobGraph, what: string): MillraceError {
  return new MillraceError({ code: "SAVEPOINT_IN_BATCH", message: `the job "${jobName}" runs as a batch, which has no ${what}`, hint: "cancel it, and run it again" });
}

/** @throws `SAVEPOINT_FORMAT_UNKNOWN` */
function optionOf(formatType: SavepointFormat = "CANONICAL"): CheckpointOptions["savepointFormat"] {
  if (formatType === "CANONICAL" || formatType === "NATIVE") return formatType === "NATIVE" ? formatType : undefined;
  throw new MillraceError({ code: "SAVEPOINT_FORMAT_UNKNOWN", message: `"${String(formatType)}" is not a format of savepoints`, hint: "CANONICAL or NATIVE" });
}
