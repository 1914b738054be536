import {
  CHECKPOINTING_ALIGNED_TIMEOUT, CHECKPOINTING_INTERVAL, CHECKPOINTING_INTERVAL_DURING_BACKLOG, CHECKPOINTING_MAX_CONCURRENT, CHECKPOINTING_MIN_PAUSE, CHECKPOINTING_TIMEOUT,
  CHECKPOINTING_TOLERABLE_FAILURES, CHECKPOINTING_UNALIGNED, MillraceError, deserializeError,
} from "@millrace/core";
import type { Cancellable } from "@millrace/core";
import type { CheckpointOptions, SlotEvent } from "@millrace/runtime";
import { toBase64 } from "./base64.js";
import type { Execution, ExecutionGraph } from "../job-master/execution-graph.js";
import { checkpointPath, writeMetadata, type CheckpointMetadata } from "./checkpoint-metadata.js";
import type { CheckpointCoordinatorInit, SavepointRequest } from "./checkpoint-parties.js";
import { planCheckpoint, type CheckpointPlan } from "./checkpoint-plan.js";
import { CheckpointStatisticsTracker } from "./checkpoint-statistics.js";
import type { CompletedCheckpoint } from "./completed-checkpoint-store.js";
import { PendingCheckpoint, type AbortReason, type CheckpointWaiter } from "./pending-checkpoint.js";

type AcknowledgeEvent = Extract<SlotEvent, { type: "acknowledgeCheckpoint" }>;
type DeclineEvent = Extract<SlotEvent, { type: "declineCheckpoint" }>;

const FINAL_CHECKPOINT_DELAY_MS = 200;
const MAX_TRIGGER_RETRY_MS = 200;

/**
 * Takes checkpoints and savepoints of a running job.
 *
 * Invariants: ids only grow over the life of the job; a checkpoint counts as complete exactly when its `_metadata` is written, it was not
 * aborted before, and the store has it, and then no older checkpoint completes any more; after {@link stop} no party is called until the next
 * {@link start}, and a checkpoint whose metadata was still being written is deleted. One that the store is about to take cannot be given up any more:
 * {@link settled} says when it has. Source coordinators are snapshotted first, for one checkpoint after the other: what
 * they send afterwards is held until the sources were triggered, so that it lies behind the barrier on the sources' side, too.
 *
 * A savepoint is taken beside checkpoints and changes nothing for the job: it is not recovered from, and nothing is committed for it. Only one
 * that the job stops behind is, since it is the last. Flink: CheckpointCoordinator.
 */
export class CheckpointCoordinator {
  readonly #init: CheckpointCoordinatorInit;
  readonly #usualIntervalMs: number | undefined;
  readonly #backlogIntervalMs: number | undefined;
  readonly #minPauseMs: number;
  readonly #timeoutMs: number;
  readonly #tolerableFailures: number;
  readonly #maxConcurrent: number;
  /** Of checkpoints; savepoints are always aligned. */
  readonly #alignment: CheckpointOptions;
  readonly #statistics: CheckpointStatisticsTracker;
  #graph: ExecutionGraph | undefined;
  #nextId = 1;
  /** By id, ascending. */
  readonly #pending = new Map<number, PendingCheckpoint>();
  /** The pending one whose tasks are not triggered yet. */
  #triggering: PendingCheckpoint | undefined;
  readonly #savepoints: SavepointRequest[] = [];
  /** The job stops behind a savepoint that is asked for, in progress or complete: there is no other checkpoint. */
  #stopping = false;
  /** Source coordinators that read a backlog. */
  readonly #backlog = new Set<string>();
  #timer: Cancellable | undefined;
  /** Looks again whether a checkpoint can be taken. */
  #retry: Cancellable | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  /** A checkpoint is due, and waits for others that are in progress. */
  #due = false;
  #lastTriggerMs = Number.NEGATIVE_INFINITY;
  #lastEndMs = Number.NEGATIVE_INFINITY;
  #consecutiveFailures = 0;
  /** Of the next checkpoint. */
  #waiters: CheckpointWaiter[] = [];
  #nextIsFull = false;
  #completed = 0;
  #lastCompleted: CheckpointMetadata | undefined;
  #lastDurationMs: number | undefined;
  /** Until the store has taken all checkpoints that it was given, one after the other. */
  #storing: Promise<void> | undefined;
  /** Directories of aborted checkpoints, which a task may have written to after they were deleted. */
  #aborted: string[] = [];
  /** Checkpoints whose metadata is being written, until they are complete or gone. */
  readonly #completing = new Set<Promise<void>>();

  constructor(init: CheckpointCoordinatorInit) {
    const { config } = init;
    this.#init = init;
    this.#statistics = init.statistics ?? new CheckpointStatisticsTracker();
    this.#usualIntervalMs = config.get(CHECKPOINTING_INTERVAL);
    this.#backlogIntervalMs = config.has(CHECKPOINTING_INTERVAL_DURING_BACKLOG) ? config.get(CHECKPOINTING_INTERVAL_DURING_BACKLOG) : this.#usualIntervalMs;
    this.#minPauseMs = config.get(CHECKPOINTING_MIN_PAUSE);
    this.#timeoutMs = config.get(CHECKPOINTING_TIMEOUT);
    this.#tolerableFailures = config.get(CHECKPOINTING_TOLERABLE_FAILURES);
    this.#maxConcurrent = this.#minPauseMs > 0 ? 1 : config.get(CHECKPOINTING_MAX_CONCURRENT);
    this.#alignment = init.onlyAtTheEnd === true ? { final: true } : config.get(CHECKPOINTING_UNALIGNED) ? { unalignedAfterMs: config.get(CHECKPOINTING_ALIGNED_TIMEOUT) } : {};
  }

  /** Savepoints are not counted. */
  get completedCheckpoints(): number {
    return this.#completed;
  }

  /** What the last one consists of that was completed by this job, not restored, and is no savepoint. */
  get lastCompleted(): CheckpointMetadata | undefined {
    return this.#lastCompleted;
  }

  get lastDurationMs(): number | undefined {
    return this.#lastDurationMs;
  }

  /** Ids go on after those of a checkpoint that was restored from. */
  continueAfter(checkpointId: number): void {
    this.#nextId = Math.max(this.#nextId, checkpointId + 1);
  }

  /** The job stops behind a savepoint that is asked for, in progress or complete. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * No task can go on from where it is: they were told to drain for a savepoint that is not complete, so that windows have fired that were not; or the
   * savepoint that the job stops behind is complete, and each task comes to its end by itself.
   */
  get ending(): boolean {
    const underWay = [...this.#pending.values()].find(({ options, state }) => options.stop !== undefined && state !== "aborted" && state !== "completed");
    if (underWay !== undefined) return underWay.options.stop === "drain";
    return this.#stopping && !this.#savepoints.some(({ stop }) => stop !== undefined);
  }

  /** True between a coordinator's snapshot and the triggering of the tasks: its events must wait. */
  holdsEventsOf(operatorId: string): boolean {
    return this.#triggering?.hasCoordinator(operatorId) === true;
  }

  /** The job runs with these executions: starts the schedule. */
  start(graph: ExecutionGraph): void {
    this.#graph = graph;
    this.#consecutiveFailures = 0;
    this.#stopping = this.#savepoints.some(({ stop }) => stop !== undefined);
    const now = this.#nowMs();
    this.#lastTriggerMs = now;
    this.#lastEndMs = Number.NEGATIVE_INFINITY;
    this.#schedule(this.#waiters.length > 0 ? now : this.#nextRegularMs());
    if (this.#savepoints.length > 0) this.#triggerSoon(0);
  }

  /**
   * The job no longer runs (failure, cancellation, end): gives up what is in progress, which who waits for it is told by `error`, if given. Savepoints that
   * had not begun wait for the next start.
   */
  stop(reason: string, error?: MillraceError): void {
    this.#graph = undefined;
    for (const pending of this.#pending.values()) this.#abort(pending, { message: reason, counts: false, error });
    this.#backlog.clear();
    this.#unschedule();
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** Resolves when no checkpoint is on its way into the store, so that its latest is the one to restore; `undefined` when none ever was. */
  get settled(): Promise<void> | undefined {
    return this.#storing;
  }

  /**
   * Rejects everybody who waits for a checkpoint: the job reached its end, no task runs any more. Resolves when nothing is there of a checkpoint that was
   * given up while its metadata was written: whoever looks for the last one then does not find it.
   */
  async shutdown(error: unknown): Promise<void> {
    this.#deleteAborted();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    for (const { waiters } of this.#savepoints.splice(0)) for (const waiter of waiters) waiter.reject(error);
    await Promise.allSettled(this.#completing);
  }

  /** Takes a checkpoint as soon as possible; a `full` one refers to no files of others. Rejects with `CHECKPOINT_FAILED` when it is aborted. */
  triggerNow(full: boolean = false): Promise<CompletedCheckpoint> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (full) this.#nextIsFull = true;
      if (this.#graph !== undefined) this.#schedule(this.#nowMs());
    });
  }

  /**
   * Takes a savepoint as soon as the job runs, also while checkpoints are in progress. With `stop`, there are no more checkpoints until it failed.
   * Rejects with `CHECKPOINT_FAILED` when it is aborted.
   */
  triggerSavepoint(newDirectory: () => string, { stop, savepointFormat }: Pick<CheckpointOptions, "stop" | "savepointFormat"> = {}): Promise<CompletedCheckpoint> {
    return new Promise((resolve, reject) => {
      if (this.#stopping) throw new MillraceError({ code: "CHECKPOINT_FAILED", message: "the job is being stopped behind another savepoint" });
      this.#savepoints.push({ newDirectory, stop, savepointFormat, waiters: [{ resolve, reject }] });
      if (stop !== undefined) this.#beginStop();
      this.#triggerSoon(0);
    });
  }

  coordinatorSnapshot(operatorId: string, checkpointId: number, state: Uint8Array): void {
    const pending = this.#triggering;
    if (pending?.checkpointId !== checkpointId || !pending.addCoordinator(operatorId, state)) return;
    if (pending.coordinatorsDone) this.#triggerTasks(pending);
  }

  acknowledge(event: AcknowledgeEvent): void {
    const pending = this.#pending.get(event.checkpointId);
    if (pending === undefined || !pending.addTask(event.attempt, event.state)) return;
    this.#statistics.acknowledged(event.checkpointId, event.attempt, event.state.stateBytes, event.metrics, this.#init.env.clock.nowMs());
    if (pending.state !== "tasks" || !pending.tasksDone) return;
    const completing = this.#complete(pending).finally(() => this.#completing.delete(completing));
    this.#completing.add(completing);
  }

  decline(event: DeclineEvent): void {
    const pending = this.#pending.get(event.checkpointId);
    if (pending?.awaits(event.attempt) !== true) return;
    this.#abort(pending, { message: `declined: ${event.error.message}`, counts: event.error.code !== "CHECKPOINT_SUBSUMED", cause: deserializeError(event.error) });
  }

  /** A source reads records that have waited for long, or no longer does: the interval may be another one meanwhile. */
  processingBacklog(operatorId: string, isProcessing: boolean): void {
    const before = this.#intervalMs;
    if (isProcessing) this.#backlog.add(operatorId);
    else this.#backlog.delete(operatorId);
    if (this.#graph === undefined || this.#intervalMs === before) return;
    if (this.#waiters.length === 0) this.#unschedule();
    this.#schedule(this.#nextRegularMs());
    this.finalCheckpointNeeded();
  }

  /** A task finished: one that had not acknowledged yet never will. */
  taskFinished(execution: Execution): void {
    for (const pending of this.#pending.values()) {
      if (pending.awaits(execution.attempt)) this.#abort(pending, { message: `${execution.taskName} finished meanwhile`, counts: false, again: true });
    }
    this.finalCheckpointNeeded();
  }

  /** Some task waits for a checkpoint before it can finish: takes one when all that still run do so, else with the next regular one. */
  finalCheckpointNeeded(): void {
    const graph = this.#graph;
    if (graph === undefined || this.#stopping) return;
    let waiting = 0;
    let ended = 0;
    let running = 0;
    for (const execution of graph.all()) {
      if (execution.isTerminal) continue;
      running++;
      if (execution.awaitsFinalCheckpoint) waiting++;
      else if (execution.hasEnded) ended++;
    }
    if (waiting === 0) return;
    if (waiting + ended === running) this.#schedule(this.#nowMs());
    else if (this.#intervalMs === undefined && this.#init.onlyAtTheEnd !== true) this.#schedule(this.#nowMs() + FINAL_CHECKPOINT_DELAY_MS);
  }

  #nowMs(): number {
    return this.#init.env.clock.monotonicMs();
  }

  get #intervalMs(): number | undefined {
    if (this.#backlog.size === 0) return this.#usualIntervalMs;
    return this.#backlogIntervalMs === 0 ? undefined : this.#backlogIntervalMs;
  }

  #nextRegularMs(): number {
    if (this.#intervalMs === undefined || this.#stopping) return Number.POSITIVE_INFINITY;
    return Math.max(this.#lastTriggerMs + this.#intervalMs, this.#lastEndMs + this.#minPauseMs);
  }

  /** Makes sure a checkpoint is tried at `dueMs` or before. While too many are in progress it waits for the end of one. */
  #schedule(dueMs: number): void {
    if (dueMs >= this.#dueMs || dueMs === Number.POSITIVE_INFINITY) return;
    this.#dueMs = dueMs;
    this.#timer?.cancel();
    this.#timer = this.#init.env.clock.setTimer(Math.max(0, dueMs - this.#nowMs()), () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#timer = undefined;
      this.#due = true;
      this.#trigger();
    });
  }

  #unschedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#due = false;
  }

  #triggerSoon(delayMs: number): void {
    this.#retry ??= this.#init.env.clock.setTimer(delayMs, () => {
      this.#retry = undefined;
      this.#trigger();
    });
  }

  /** Starts what is due and may start now: savepoints first, and a checkpoint unless there are enough. */
  #trigger(): void {
    if (this.#triggering !== undefined || this.#graph === undefined) return;
    const wantsCheckpoint = this.#due && !this.#stopping && this.#checkpointsInProgress < this.#maxConcurrent;
    if (this.#savepoints.length === 0 && !wantsCheckpoint) return;
    // A barrier that overtakes must not overtake that of another.
    if (this.#alignment.unalignedAfterMs !== undefined && this.#pending.size > 0) return;
    const plan = planCheckpoint(this.#graph);
    if (plan === undefined) {
      // Tasks still start up, or end right now; with everything finished the job ends and stops this.
      this.#triggerSoon(Math.min(MAX_TRIGGER_RETRY_MS, this.#intervalMs ?? MAX_TRIGGER_RETRY_MS));
      return;
    }
    const checkpointId = this.#takeId();
    if (checkpointId === undefined) return;
    const savepoint = this.#savepoints.shift();
    if (savepoint !== undefined) this.#beginSavepoint(checkpointId, plan, savepoint);
    else {
      const options: CheckpointOptions = this.#nextIsFull ? { ...this.#alignment, full: true } : this.#alignment;
      this.#nextIsFull = false;
      this.#due = false;
      this.#lastTriggerMs = this.#nowMs();
      this.#begin(checkpointId, plan, options, this.#waiters.splice(0));
      if (this.#maxConcurrent > 1) this.#schedule(this.#nextRegularMs());
    }
  }

  #takeId(): number | undefined {
    const { store } = this.#init;
    return store.takeId === undefined ? this.#nextId++ : store.takeId(() => this.#triggerSoon(0));
  }

  #beginSavepoint(checkpointId: number, plan: CheckpointPlan, request: SavepointRequest): void {
    const { newDirectory, stop, savepointFormat, waiters } = request;
    const savepointDirectory = newDirectory();
    const again = (): void => void this.#savepoints.push(request);
    const options = { savepointDirectory, ...(savepointFormat === undefined ? {} : { savepointFormat }), ...(stop === undefined ? {} : { stop }) };
    this.#begin(checkpointId, plan, options, waiters, { path: savepointDirectory, again });
  }

  get #checkpointsInProgress(): number {
    let count = 0;
    for (const pending of this.#pending.values()) if (!pending.isSavepoint) count++;
    return count;
  }

  #begin(
    checkpointId: number, plan: CheckpointPlan, options: CheckpointOptions, waiters: readonly CheckpointWaiter[], savepoint?: Pick<PendingCheckpoint, "path" | "again">,
  ): void {
    const { env, directory, parties } = this.#init;
    const pending = new PendingCheckpoint({
      checkpointId, timestampMs: env.clock.nowMs(), startedMs: this.#nowMs(), path: savepoint?.path ?? checkpointPath(directory, checkpointId), plan, options, waiters,
      coordinators: parties.sourceCoordinators, again: savepoint?.again,
    });
    this.#pending.set(checkpointId, pending);
    this.#triggering = pending;
    this.#statistics.triggered(checkpointId, pending.timestampMs, plan.toAcknowledge.map(({ attempt }) => attempt), pending.isSavepoint);
    pending.timeout = env.clock.setTimer(this.#timeoutMs, () => this.#abort(pending, { message: `not complete after ${this.#timeoutMs} ms`, counts: true }));
    for (const operatorId of parties.sourceCoordinators) parties.snapshotCoordinator(operatorId, checkpointId);
    if (pending.coordinatorsDone && pending.state === "coordinators") this.#triggerTasks(pending);
  }

  #triggerTasks(pending: PendingCheckpoint): void {
    pending.state = "tasks";
    this.#triggering = undefined;
    this.#init.parties.triggerTasks(pending.plan.toTrigger, pending.checkpointId, pending.timestampMs, pending.options);
    this.#init.parties.releaseCoordinatorEvents();
    this.#trigger();
  }

  async #complete(pending: PendingCheckpoint): Promise<void> {
    pending.state = "completing";
    const metadata = pending.toMetadata(this.#graph!.jobGraph, toBase64);
    try {
      await writeMetadata(this.#init.env.fs, pending.path, metadata);
    } catch (cause) {
      this.#abort(pending, { message: `cannot write its metadata: ${(cause as Error).message}`, counts: true, cause });
    }
    if ((pending.state as string) === "aborted") {
      // Not before: the metadata would be there without the files that it names.
      await this.#init.store.deleteFiles(pending.path);
      this.#aborted.push(pending.path);
      return;
    }
    const { isSavepoint, options } = pending;
    const checkpoint: CompletedCheckpoint = { path: pending.path, metadata, external: isSavepoint, stop: options.stop };
    const isRestorable = !isSavepoint || options.stop !== undefined;
    if (isRestorable && !(await this.#keep(pending, checkpoint))) return;
    pending.state = "completed";
    this.#statistics.completed(pending.checkpointId, pending.path, this.#init.env.clock.nowMs());
    const stopped = this.#graph === undefined;
    if (isRestorable) this.#replaces(pending, metadata);
    this.#ended(pending);
    // Once stopped, the next attempt starts from it, and hears of it that way.
    if (isRestorable && !stopped) this.#init.parties.notifyComplete(checkpoint);
    for (const waiter of pending.waiters) waiter.resolve(checkpoint);
  }

  /** Hands a checkpoint to the store; `false` when it did not take it. From now on no older one completes. */
  async #keep(pending: PendingCheckpoint, checkpoint: CompletedCheckpoint): Promise<boolean> {
    pending.state = "storing";
    for (const older of this.#pending.values()) {
      if (older.checkpointId < pending.checkpointId && !older.isSavepoint) this.#abort(older, { message: `checkpoint ${pending.checkpointId} is complete`, counts: false });
    }
    try {
      const { store } = this.#init;
      const adding = this.#storing === undefined ? store.add(checkpoint) : this.#storing.then(() => store.add(checkpoint));
      if (adding === undefined) return true;
      this.#storing = adding.catch(() => undefined);
      await adding;
      return true;
    } catch (cause) {
      // Perhaps it was taken after all, so its files stay.
      pending.state = "tasks";
      this.#abort(pending, { message: `it cannot be stored: ${(cause as Error).message}`, counts: this.#graph !== undefined, cause, keepsFiles: true });
      return false;
    }
  }

  /** From now on the job recovers from this checkpoint. */
  #replaces(pending: PendingCheckpoint, metadata: CheckpointMetadata): void {
    // These asked before it began, so it covers them: they finish once notified.
    for (const execution of pending.finalTasks) execution.awaitsFinalCheckpoint = false;
    this.#deleteAborted();
    if (pending.isSavepoint) return;
    this.#completed++;
    this.#consecutiveFailures = 0;
    this.#lastCompleted = metadata;
    this.#lastDurationMs = this.#nowMs() - pending.startedMs;
  }

  #abort(pending: PendingCheckpoint, reason: AbortReason): void {
    if (pending.state === "aborted" || pending.state === "storing" || pending.state === "completed") return;
    const { state: before, options, waiters, isSavepoint, checkpointId } = pending;
    pending.state = "aborted";
    this.#statistics.failed(checkpointId, reason.message, this.#init.env.clock.nowMs());
    const error = new MillraceError({
      code: "CHECKPOINT_FAILED", message: `${isSavepoint ? "savepoint" : "checkpoint"} ${checkpointId} failed: ${reason.message}`, recovery: "restart", cause: reason.cause,
    });
    if (reason.counts) this.#init.env.log.write("warn", error.message);
    if (pending.again !== undefined && reason.again === true) pending.again();
    else {
      for (const waiter of waiters) waiter.reject(reason.error ?? error);
      if (options.stop !== undefined) this.#stopping = false;
    }
    this.#ended(pending);
    this.#init.parties.releaseCoordinatorEvents();
    this.#init.parties.notifyAborted(checkpointId);
    if (before !== "completing" && reason.keepsFiles !== true) {
      this.#aborted.push(pending.path);
      void this.#init.store.deleteFiles(pending.path);
    }
    if (options.stop !== undefined && !this.#stopping && this.#graph !== undefined) this.#init.parties.stopFailed();
    if (isSavepoint) this.#savepointFailed(options, before !== "coordinators" && reason.again !== true, error);
    else if (reason.counts) this.#failed(error);
  }

  #savepointFailed({ stop }: CheckpointOptions, triggered: boolean, error: MillraceError): void {
    // Windows have fired that were not complete: what is there now is not the state of any moment of the job.
    if (stop === "drain" && triggered && this.#graph !== undefined) this.#init.parties.failJob(error);
  }

  #failed(cause: MillraceError): void {
    this.#consecutiveFailures++;
    if (this.#consecutiveFailures <= this.#tolerableFailures) return;
    this.#init.parties.failJob(new MillraceError({
      code: "CHECKPOINT_FAILURES_EXCEEDED", recovery: "restart", cause,
      message: `${this.#consecutiveFailures} checkpoints in a row failed`,
      hint: "execution.checkpointing.tolerable-failed-checkpoints says how many may",
    }));
  }

  /** The savepoint that the job stops behind is the next thing to be taken, and the last. */
  #beginStop(): void {
    this.#stopping = true;
    if (this.#graph !== undefined) this.#init.parties.stopBegins();
    this.#unschedule();
    for (const pending of this.#pending.values()) {
      if (!pending.isSavepoint) this.#abort(pending, { message: "the job stops behind a savepoint", counts: false });
    }
  }

  /** Once more: tasks have given up writing to them meanwhile. */
  #deleteAborted(): void {
    for (const path of this.#aborted.splice(0)) void this.#init.store.deleteFiles(path);
  }

  /** The pending checkpoint is over: looks when the next is due. */
  #ended(pending: PendingCheckpoint): void {
    this.#pending.delete(pending.checkpointId);
    if (this.#triggering === pending) this.#triggering = undefined;
    pending.timeout?.cancel();
    if (!pending.isSavepoint) this.#lastEndMs = this.#nowMs();
    if (this.#graph === undefined) return;
    const wasDue = this.#due;
    this.#due = false;
    if (this.#savepoints.length > 0) this.#triggerSoon(0);
    if (this.#waiters.length > 0) this.#schedule(this.#nowMs());
    if (wasDue && this.#intervalMs !== undefined && !this.#stopping) this.#schedule(this.#lastEndMs + this.#minPauseMs);
    else this.#schedule(this.#nextRegularMs());
    this.finalCheckpointNeeded();
  }
}
