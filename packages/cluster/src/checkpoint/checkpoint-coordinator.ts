import {
  CHECKPOINTING_ALIGNED_TIMEOUT, CHECKPOINTING_INTERVAL, CHECKPOINTING_MIN_PAUSE, CHECKPOINTING_TIMEOUT, CHECKPOINTING_TOLERABLE_FAILURES, CHECKPOINTING_UNALIGNED,
  MillraceError, deserializeError,
} from "@millrace/core";
import type { Cancellable, Configuration, Env } from "@millrace/core";
import type { CheckpointOptions, SlotEvent } from "@millrace/runtime";
import { toBase64 } from "./base64.js";
import type { Execution, ExecutionGraph } from "../job-master/execution-graph.js";
import { checkpointPath, writeMetadata, type CheckpointMetadata } from "./checkpoint-metadata.js";
import { planCheckpoint } from "./checkpoint-plan.js";
import { CheckpointStatisticsTracker } from "./checkpoint-statistics.js";
import type { CheckpointStore } from "./checkpoint-store.js";
import type { CompletedCheckpoint } from "./completed-checkpoint-store.js";
import { PendingCheckpoint, type AbortReason } from "./pending-checkpoint.js";

type AcknowledgeEvent = Extract<SlotEvent, { type: "acknowledgeCheckpoint" }>;
type DeclineEvent = Extract<SlotEvent, { type: "declineCheckpoint" }>;

/** What a coordinator needs of its JobMaster. All calls happen synchronously on the JobMaster's thread. */
export interface CheckpointParties {
  /** Operator ids of all source coordinators. */
  readonly sourceCoordinators: readonly string[];
  snapshotCoordinator(operatorId: string, checkpointId: number): void;
  /** Tells the tasks to start the checkpoint; held coordinator events follow right behind. */
  triggerTasks(tasks: readonly Execution[], checkpointId: number, timestampMs: number, options: CheckpointOptions): void;
  /** Lets held coordinator events go. */
  releaseCoordinatorEvents(): void;
  notifyComplete(checkpoint: CompletedCheckpoint): void;
  notifyAborted(checkpointId: number): void;
  /** Too many checkpoints failed in a row. */
  failJob(error: MillraceError): void;
}

export interface CheckpointCoordinatorInit {
  readonly env: Pick<Env, "clock" | "fs" | "log">;
  readonly config: Configuration;
  /** Absolute; `chk-<id>` directories go in here. */
  readonly directory: string;
  readonly store: CheckpointStore;
  readonly parties: CheckpointParties;
  /** Told of everything that happens to a checkpoint. */
  readonly statistics?: CheckpointStatisticsTracker;
}

interface Waiter {
  readonly resolve: (checkpoint: CompletedCheckpoint) => void;
  readonly reject: (error: unknown) => void;
}

const FINAL_CHECKPOINT_DELAY_MS = 200;
const MAX_TRIGGER_RETRY_MS = 200;

/**
 * Takes checkpoints of a running job, one at a time.
 *
 * Invariants: ids only grow over the life of the job; a checkpoint counts as complete exactly when its `_metadata` is written, it was not
 * aborted before, and the store has it; after {@link stop} no party is called until the next {@link start}, and a checkpoint whose metadata was still
 * being written is deleted. One that the store is about to take cannot be given up any more: {@link settled} says when it has. Source coordinators are
 * snapshotted first: what they send afterwards is held until the sources were triggered, so that it lies behind the barrier on the sources' side, too.
 * Flink: CheckpointCoordinator.
 */
export class CheckpointCoordinator {
  readonly #init: CheckpointCoordinatorInit;
  readonly #intervalMs: number | undefined;
  readonly #minPauseMs: number;
  readonly #timeoutMs: number;
  readonly #tolerableFailures: number;
  /** Of checkpoints; savepoints are always aligned. */
  readonly #options: CheckpointOptions;
  readonly #statistics: CheckpointStatisticsTracker;
  #graph: ExecutionGraph | undefined;
  #nextId = 1;
  #pending: PendingCheckpoint | undefined;
  #timeout: Cancellable | undefined;
  #timer: Cancellable | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #lastTriggerMs = Number.NEGATIVE_INFINITY;
  #lastEndMs = Number.NEGATIVE_INFINITY;
  #consecutiveFailures = 0;
  #waiters: Waiter[] = [];
  #waitersOfPending: Waiter[] = [];
  #finalTasks: readonly Execution[] = [];
  /** Source coordinators that answered the pending checkpoint. */
  readonly #coordinatorsAnswered = new Set<string>();
  /** A checkpoint fell due while another was in progress. */
  #again = false;
  #completed = 0;
  #lastCompleted: CheckpointMetadata | undefined;
  #lastDurationMs: number | undefined;
  /** While the store takes a checkpoint. */
  #storing: Promise<void> | undefined;
  /** Directories of aborted checkpoints, which a task may have written to after they were deleted. */
  #aborted: string[] = [];

  constructor(init: CheckpointCoordinatorInit) {
    this.#init = init;
    this.#statistics = init.statistics ?? new CheckpointStatisticsTracker();
    this.#intervalMs = init.config.get(CHECKPOINTING_INTERVAL);
    this.#minPauseMs = init.config.get(CHECKPOINTING_MIN_PAUSE);
    this.#timeoutMs = init.config.get(CHECKPOINTING_TIMEOUT);
    this.#tolerableFailures = init.config.get(CHECKPOINTING_TOLERABLE_FAILURES);
    this.#options = init.config.get(CHECKPOINTING_UNALIGNED) ? { unalignedAfterMs: init.config.get(CHECKPOINTING_ALIGNED_TIMEOUT) } : {};
  }

  get completedCheckpoints(): number {
    return this.#completed;
  }

  /** What the last one consists of that was completed by this job, not restored. */
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

  /** True between a coordinator's snapshot and the triggering of the tasks: its events must wait. */
  holdsEventsOf(operatorId: string): boolean {
    return this.#pending?.state === "coordinators" && this.#coordinatorsAnswered.has(operatorId);
  }

  /** The job runs with these executions: starts the schedule. */
  start(graph: ExecutionGraph): void {
    this.#graph = graph;
    this.#consecutiveFailures = 0;
    const now = this.#nowMs();
    this.#lastTriggerMs = now;
    this.#lastEndMs = Number.NEGATIVE_INFINITY;
    this.#schedule(this.#waiters.length > 0 ? now : this.#nextRegularMs());
  }

  /** The job no longer runs (failure, cancellation, end): gives up what is in progress. */
  stop(reason: string): void {
    if (this.#pending !== undefined) this.#abort(this.#pending, { message: reason, counts: false });
    this.#graph = undefined;
    this.#unschedule();
  }

  /** Resolves when no checkpoint is on its way into the store, so that its latest is the one to restore; `undefined` when none is now. */
  get settled(): Promise<void> | undefined {
    return this.#storing;
  }

  /** Rejects everybody who waits for a checkpoint: the job reached its end, no task runs any more. */
  shutdown(error: unknown): void {
    this.#deleteAborted();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  /** Takes a checkpoint as soon as possible. Rejects with `CHECKPOINT_FAILED` when it is aborted. */
  triggerNow(): Promise<CompletedCheckpoint> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#graph !== undefined) this.#schedule(this.#nowMs());
    });
  }

  coordinatorSnapshot(operatorId: string, checkpointId: number, state: Uint8Array): void {
    const pending = this.#pending;
    if (pending?.checkpointId !== checkpointId || pending.state !== "coordinators" || !pending.addCoordinator(operatorId, state)) return;
    this.#coordinatorsAnswered.add(operatorId);
    if (pending.coordinatorsDone) this.#triggerTasks(pending);
  }

  acknowledge(event: AcknowledgeEvent): void {
    const pending = this.#pending;
    if (pending?.checkpointId !== event.checkpointId || !pending.addTask(event.attempt, event.state)) return;
    this.#statistics.acknowledged(event.checkpointId, event.attempt, event.state.stateBytes, event.metrics, this.#init.env.clock.nowMs());
    if (pending.state === "tasks" && pending.tasksDone) void this.#complete(pending);
  }

  decline(event: DeclineEvent): void {
    const pending = this.#pending;
    if (pending?.checkpointId !== event.checkpointId || !pending.awaits(event.attempt)) return;
    this.#abort(pending, { message: `declined: ${event.error.message}`, counts: true, cause: deserializeError(event.error) });
  }

  /** A task finished: one that had not acknowledged yet never will. */
  taskFinished(execution: Execution): void {
    const pending = this.#pending;
    if (pending?.awaits(execution.attempt)) this.#abort(pending, { message: `${execution.taskName} finished meanwhile`, counts: false });
    this.finalCheckpointNeeded();
  }

  /** Some task waits for a checkpoint before it can finish: takes one when all that still run do so, else with the next regular one. */
  finalCheckpointNeeded(): void {
    const graph = this.#graph;
    if (graph === undefined) return;
    let waiting = 0;
    let running = 0;
    for (const execution of graph.all()) {
      if (execution.isTerminal) continue;
      running++;
      if (execution.awaitsFinalCheckpoint) waiting++;
    }
    if (waiting === 0) return;
    if (waiting === running) this.#schedule(this.#nowMs());
    else if (this.#intervalMs === undefined) this.#schedule(this.#nowMs() + FINAL_CHECKPOINT_DELAY_MS);
  }

  #nowMs(): number {
    return this.#init.env.clock.monotonicMs();
  }

  #nextRegularMs(): number {
    if (this.#intervalMs === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(this.#lastTriggerMs + this.#intervalMs, this.#lastEndMs + this.#minPauseMs);
  }

  /** Makes sure a checkpoint is tried at `dueMs` or before. While one is in progress the next waits for its end. */
  #schedule(dueMs: number): void {
    if (dueMs >= this.#dueMs || dueMs === Number.POSITIVE_INFINITY) return;
    this.#dueMs = dueMs;
    this.#timer?.cancel();
    this.#timer = this.#init.env.clock.setTimer(Math.max(0, dueMs - this.#nowMs()), () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#timer = undefined;
      if (this.#pending === undefined) this.#trigger();
      else this.#again = true;
    });
  }

  #unschedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#again = false;
  }

  #trigger(): void {
    const plan = this.#graph === undefined ? undefined : planCheckpoint(this.#graph);
    if (plan === undefined) {
      // Tasks still start up, or end right now; with everything finished the job ends and stops this.
      this.#schedule(this.#nowMs() + Math.min(MAX_TRIGGER_RETRY_MS, this.#intervalMs ?? MAX_TRIGGER_RETRY_MS));
      return;
    }
    const { env, directory, parties } = this.#init;
    const checkpointId = this.#takeId();
    if (checkpointId === undefined) return;
    this.#waitersOfPending = this.#waiters.splice(0);
    this.#lastTriggerMs = this.#nowMs();
    this.#coordinatorsAnswered.clear();
    const pending = new PendingCheckpoint({
      checkpointId, timestampMs: env.clock.nowMs(), startedMs: this.#lastTriggerMs, path: checkpointPath(directory, checkpointId), plan,
      coordinators: parties.sourceCoordinators,
    });
    this.#pending = pending;
    this.#statistics.triggered(checkpointId, pending.timestampMs, plan.toAcknowledge.map(({ attempt }) => attempt));
    this.#finalTasks = plan.toAcknowledge.filter((execution) => execution.awaitsFinalCheckpoint);
    this.#timeout = env.clock.setTimer(this.#timeoutMs, () => this.#abort(pending, { message: `not complete after ${this.#timeoutMs} ms`, counts: true }));
    for (const operatorId of parties.sourceCoordinators) parties.snapshotCoordinator(operatorId, checkpointId);
    if (pending.coordinatorsDone && pending.state === "coordinators") this.#triggerTasks(pending);
  }

  #takeId(): number | undefined {
    const { store } = this.#init;
    return store.takeId === undefined ? this.#nextId++ : store.takeId(() => this.#graph !== undefined && this.#schedule(this.#nowMs()));
  }

  #triggerTasks(pending: PendingCheckpoint): void {
    pending.state = "tasks";
    this.#init.parties.triggerTasks(pending.plan.toTrigger, pending.checkpointId, pending.timestampMs, this.#options);
    this.#init.parties.releaseCoordinatorEvents();
  }

  async #complete(pending: PendingCheckpoint): Promise<void> {
    pending.state = "completing";
    const metadata = pending.toMetadata(this.#graph!.jobGraph, toBase64);
    try {
      await writeMetadata(this.#init.env.fs, pending.path, metadata);
    } catch (cause) {
      this.#abort(pending, { message: `cannot write its metadata: ${(cause as Error).message}`, counts: true, cause });
      return;
    }
    if ((pending.state as string) === "aborted") {
      await this.#init.store.deleteFiles(pending.path);
      return;
    }
    const checkpoint: CompletedCheckpoint = { path: pending.path, metadata, external: false };
    if (!(await this.#keep(pending, checkpoint))) return;
    pending.state = "completed";
    // These asked before it began, so it covers them: they finish once notified.
    for (const execution of this.#finalTasks) execution.awaitsFinalCheckpoint = false;
    this.#completed++;
    this.#consecutiveFailures = 0;
    this.#deleteAborted();
    this.#lastCompleted = metadata;
    this.#lastDurationMs = this.#nowMs() - pending.startedMs;
    this.#statistics.completed(pending.checkpointId, pending.path, this.#init.env.clock.nowMs());
    const waiters = this.#waitersOfPending.splice(0);
    const stopped = this.#graph === undefined;
    this.#ended();
    // The next attempt starts from it, and hears of it that way.
    if (!stopped) this.#init.parties.notifyComplete(checkpoint);
    for (const waiter of waiters) waiter.resolve(checkpoint);
  }

  /** Hands a checkpoint to the store; `false` when it did not take it. */
  async #keep(pending: PendingCheckpoint, checkpoint: CompletedCheckpoint): Promise<boolean> {
    pending.state = "storing";
    try {
      const adding = this.#init.store.add(checkpoint);
      if (adding === undefined) return true;
      this.#storing = adding.catch(() => undefined);
      await adding;
      return true;
    } catch (cause) {
      // Perhaps it was taken after all, so its files stay.
      pending.state = "tasks";
      this.#abort(pending, { message: `it cannot be stored: ${(cause as Error).message}`, counts: this.#graph !== undefined, cause, keepsFiles: true });
      return false;
    } finally {
      this.#storing = undefined;
    }
  }

  #abort(pending: PendingCheckpoint, reason: AbortReason): void {
    if (pending.state === "aborted" || pending.state === "storing" || pending.state === "completed") return;
    const wasCompleting = pending.state === "completing";
    pending.state = "aborted";
    this.#statistics.failed(pending.checkpointId, reason.message, this.#init.env.clock.nowMs());
    const error = new MillraceError({
      code: "CHECKPOINT_FAILED", message: `checkpoint ${pending.checkpointId} failed: ${reason.message}`, recovery: "restart", cause: reason.cause,
    });
    if (reason.counts) this.#init.env.log.write("warn", error.message);
    for (const waiter of this.#waitersOfPending.splice(0)) waiter.reject(error);
    this.#ended();
    this.#init.parties.releaseCoordinatorEvents();
    this.#init.parties.notifyAborted(pending.checkpointId);
    if (reason.keepsFiles !== true) this.#aborted.push(pending.path);
    if (!wasCompleting && reason.keepsFiles !== true) void this.#init.store.deleteFiles(pending.path);
    if (!reason.counts) return;
    this.#consecutiveFailures++;
    if (this.#consecutiveFailures > this.#tolerableFailures) {
      this.#init.parties.failJob(new MillraceError({
        code: "CHECKPOINT_FAILURES_EXCEEDED", recovery: "restart", cause: error,
        message: `${this.#consecutiveFailures} checkpoints in a row failed`,
        hint: "execution.checkpointing.tolerable-failed-checkpoints says how many may",
      }));
    }
  }

  /** Once more: tasks have given up writing to them meanwhile. */
  #deleteAborted(): void {
    for (const path of this.#aborted.splice(0)) void this.#init.store.deleteFiles(path);
  }

  /** The pending checkpoint is over: looks when the next is due. */
  #ended(): void {
    this.#pending = undefined;
    this.#timeout?.cancel();
    this.#timeout = undefined;
    this.#lastEndMs = this.#nowMs();
    if (this.#graph === undefined) return;
    if (this.#waiters.length > 0) this.#schedule(this.#nowMs());
    else if (this.#again && this.#intervalMs !== undefined) this.#schedule(this.#lastEndMs + this.#minPauseMs);
    else this.#schedule(this.#nextRegularMs());
    this.#again = false;
    this.finalCheckpointNeeded();
  }
}
