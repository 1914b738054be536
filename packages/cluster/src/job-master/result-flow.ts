import { CHECKPOINTING_INTERVAL, COLLECT_WINDOW, HELD_RESULTS_FILES, HELD_RESULTS_MEMORY, MillraceError, type Configuration } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import { SpillFile, type ExecutionAttempt, type SlotEvent } from "@millrace/runtime";
import { CollectedResults } from "./collected-results.js";
import type { JobMasterInit } from "./job-master-init.js";
import type { RegionDeployment } from "./region-deployment.js";
import { ResultRoom } from "./result-room.js";

type EventOf<T extends SlotEvent["type"]> = Extract<SlotEvent, { type: T }>;

/**
 * What tasks send to the program (collected records, printed lines), on its way. Tells them what of it the program has taken, so that a slow one makes
 * their sinks wait. Not each time: what a task hears about is a part of its window, so that it never waits for the rest.
 */
export class ResultFlow {
  readonly results: CollectedResults;
  readonly #log: NonNullable<JobMasterInit["onLog"]>;
  readonly #stepBytes: number;
  /** Taken and not told yet, by attempt. */
  readonly #untold = new WeakMap<object, Map<string, number>>();

  /** @param fail called when results that are held are lost; the job cannot make them again */
  constructor({ env, jobGraph, onLog, onCollected, temporaryDirectory, firstAttempt, resultRoom }: JobMasterInit, config: Configuration, canRestart: boolean, fail: (error: MillraceError) => void) {
    const holds = config.get(CHECKPOINTING_INTERVAL) !== undefined || (jobGraph.runtimeMode === "BATCH" && canRestart);
    let files = 0;
    const openFile = (): SpillFile => {
      // Another leader may have the same directory.
      const path = `${temporaryDirectory}/held-results-${firstAttempt ?? 0}-${++files}`;
      return new SpillFile(env.fs, path, (error) => fail(notKept(path, error)));
    };
    const ofAll = resultRoom ?? ResultRoom.of(config);
    const room = ofAll.forJob(config.get(HELD_RESULTS_MEMORY));
    const onFull = (bytes: number): void => fail(tooLarge(jobGraph, room, ofAll, bytes));
    this.results = new CollectedResults({ take: onCollected ?? (() => undefined), hold: holds ? { room, openFile, onFull } : undefined });
    // In braces: what a log returns is not to be waited for.
    this.#log = onLog ?? ((level, line) => {
      env.log.write(level, line);
    });
    this.#stepBytes = config.get(COLLECT_WINDOW) / 4;
  }

  collected(deployment: RegionDeployment, slotIndex: number, event: EventOf<"collected">): void {
    if (deployment.stopping) return;
    const { byteLength } = event.batch;
    this.#given(deployment, slotIndex, event.attempt, byteLength, this.results.add({ ...event, region: deployment.region.index }));
  }

  logged(deployment: RegionDeployment, slotIndex: number, { level, line, attempt }: EventOf<"log">): void {
    this.#given(deployment, slotIndex, attempt, line.length, this.#log(level, line));
  }

  /** So much of a task's was taken, or will be. A client that is gone has taken it. */
  #given(deployment: RegionDeployment, slotIndex: number, attempt: ExecutionAttempt | undefined, bytes: number, taken: void | Promise<void>): void {
    if (attempt === undefined) return;
    if (taken === undefined) this.#taken(deployment, slotIndex, attempt, bytes);
    else void taken.then(() => this.#taken(deployment, slotIndex, attempt, bytes));
  }

  #taken(deployment: RegionDeployment, slotIndex: number, attempt: ExecutionAttempt, bytes: number): void {
    if (deployment.stopping) return;
    let ofDeployment = this.#untold.get(deployment);
    if (ofDeployment === undefined) this.#untold.set(deployment, (ofDeployment = new Map<string, number>()));
    const key = `${attempt.vertexId}:${attempt.subtaskIndex}`;
    const untold = (ofDeployment.get(key) ?? 0) + bytes;
    if (untold < this.#stepBytes) return void ofDeployment.set(key, untold);
    ofDeployment.delete(key);
    deployment.send(slotIndex, { type: "resultsTaken", epoch: deployment.epoch, attempt, bytes: untold });
  }
}

function tooLarge({ jobName, jobId }: JobGraph, own: ResultRoom, ofAll: ResultRoom, batchBytes: number): MillraceError {
  const { limitBytes, usedBytes } = ofAll.files;
  return new MillraceError({
    code: "RESULTS_TOO_LARGE",
    message: `job "${jobName}" (${jobId}) collects more than there is room for: ${batchBytes} bytes more would go beyond the ${limitBytes} bytes of ${HELD_RESULTS_FILES.key}, of which results in files that wait for a checkpoint or the program take ${usedBytes} (this job's: ${own.files.usedBytes})`,
    hint: `take checkpoints more often, let the program take results faster, write what is large with a sink, or raise ${HELD_RESULTS_FILES.key} of the JobManager`, location: { option: HELD_RESULTS_FILES.key },
  });
}

function notKept(path: string, cause: unknown): MillraceError {
  return new MillraceError({
    code: "RESULTS_NOT_KEPT", message: `results that wait for the program cannot be kept in ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, cause,
    hint: `give that disk room, take checkpoints more often, or raise ${HELD_RESULTS_MEMORY.key}`, location: { file: path },
  });
}
