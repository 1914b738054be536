import {
  CHECKPOINTING_INTERVAL, CHECKPOINTING_RETAINED, CHECKPOINTING_RETENTION, Configuration, MillraceError, TASK_CANCELLATION_TIMEOUT, allOptions, deserializeError, serializeError, userPlace,
} from "@millrace/core";
import type { Cancellable, Env, SerializedError } from "@millrace/core";
import type { JobExecutionResult, JobGraph, JobMetrics, JobStatus, StopOptions } from "@millrace/graph";
import type { CheckpointOptions, SlotCommand, SlotEvent, TaskDeployment } from "@millrace/runtime";
import { CheckpointCoordinator } from "../checkpoint/checkpoint-coordinator.js";
import { CheckpointStatisticsTracker } from "../checkpoint/checkpoint-statistics.js";
import { isSavepoint } from "../checkpoint/checkpoint-metadata.js";
import { initialCheckpoint } from "../checkpoint/initial-checkpoint.js";
import { CompletedCheckpointStore } from "../checkpoint/completed-checkpoint-store.js";
import { restoreCoordinator, restoreTask } from "../checkpoint/restore.js";
import { Savepoints } from "../checkpoint/savepoints.js";
import { createRestartStrategy, type RestartStrategy } from "../scheduler/restart-strategy.js";
import { assignSlots, type SlotAssignment } from "../scheduler/slot-assignment.js";
import type { AllocatedSlots, SlotProvider } from "../scheduler/slot-provider.js";
import { CollectedResults, type ResultTaker } from "./collected-results.js";
import { ExceptionHistory, type ExceptionHistoryEntry } from "./exception-history.js";
import { ExecutionGraph, type Execution } from "./execution-graph.js";
import { JobHistory, undeployed } from "./job-history.js";
import type { JobView, TaskLocation } from "./job-view.js";
import { SourceCoordinators, sourceOperators } from "./source-coordinators.js";
import { TaskReports } from "./task-reports.js";

export interface JobMasterInit {
  readonly env: Pick<Env, "clock" | "rng" | "fs" | "log">;
  readonly jobGraph: JobGraph;
  readonly slots: SlotProvider;
  /** Absolute directory of this job's checkpoints; `chk-<id>` goes in here. */
  readonly checkpointDirectory: string;
  /** Absolute directory of this job's temporary files; deleted when it ends. */
  readonly temporaryDirectory: string;
  /** Where savepoints go when neither the request nor the job names a directory. */
  readonly savepointDirectory?: string | undefined;
  readonly onCollected?: ResultTaker;
  /** Called after every change, final ones included. */
  readonly onStatus?: (status: JobStatus) => void;
}

/** How a deployment ends: with another one, or for good. */
type Goal = { readonly kind: "restart"; readonly notBeforeMs: number } | { readonly kind: "failed"; readonly error: SerializedError } | { readonly kind: "canceled" };

/** Where tasks are that run in the JobMaster's own process. */
const embeddedLocation: TaskLocation = { taskManagerId: "embedded", endpoint: "localhost" };
const finalStates: ReadonlySet<JobStatus> = new Set(["FINISHED", "CANCELED", "FAILED"]);

/**
 * Runs one job: deploys its tasks, takes checkpoints, restarts it after failures, ends it.
 *
 * A state machine on one thread: `start`, `cancel`, `triggerCheckpoint` and the slots' events are its only inputs. Every deployment of all tasks is
 * an epoch; an event of another epoch has no effect. A failure of one task takes all tasks back to the last completed checkpoint.
 * Status: INITIALIZING → CREATED → RUNNING → (RESTARTING → RUNNING)* → FINISHED, or FAILING → FAILED, or CANCELLING → CANCELED.
 */
export class JobMaster {
  /** Resolves when the job finished; rejects with `JOB_FAILED` (cause: the failure that ended it) or `JOB_CANCELED`. */
  readonly result: Promise<JobExecutionResult>;
  readonly #init: JobMasterInit;
  readonly #config: Configuration;
  readonly #assignment: SlotAssignment;
  readonly #restartStrategy: RestartStrategy;
  readonly #store: CompletedCheckpointStore;
  readonly #coordinator: CheckpointCoordinator;
  readonly #savepoints: Savepoints;
  readonly #exceptions = new ExceptionHistory();
  readonly #history: JobHistory;
  readonly #checkpointStatistics = new CheckpointStatisticsTracker();
  readonly #reports = new TaskReports();
  readonly #results: CollectedResults;
  readonly #startedMs: number;
  #settle!: { readonly resolve: (result: JobExecutionResult) => void; readonly reject: (error: unknown) => void };
  #status: JobStatus = "INITIALIZING";
  #epoch = 0;
  #graph: ExecutionGraph | undefined;
  #sources: SourceCoordinators | undefined;
  #slots: AllocatedSlots | undefined;
  #locations: readonly TaskLocation[] | undefined;
  #runSent = false;
  #goal: Goal | undefined;
  #stopTimer: Cancellable | undefined;
  #restartTimer: Cancellable | undefined;
  #releasing = false;
  #restoredFrom: string | undefined;

  constructor(init: JobMasterInit) {
    this.#init = init;
    const { env, jobGraph } = init;
    this.#config = checkpointConfig(jobGraph);
    this.#startedMs = env.clock.monotonicMs();
    this.#history = new JobHistory(this.#status, () => env.clock.nowMs());
    this.#assignment = assignSlots(jobGraph, init.slots.oneSlot);
    this.#restartStrategy = createRestartStrategy(this.#config, env.clock, env.rng);
    this.#store = new CompletedCheckpointStore(env, this.#config.get(CHECKPOINTING_RETAINED));
    this.#coordinator = new CheckpointCoordinator({
      env, config: this.#config, directory: init.checkpointDirectory, store: this.#store, parties: this.#checkpointParties(), statistics: this.#checkpointStatistics,
    });
    this.#savepoints = new Savepoints({ env, jobGraph, config: this.#config, coordinator: this.#coordinator, defaultDirectory: init.savepointDirectory, result: () => this.result });
    const holds = this.#config.get(CHECKPOINTING_INTERVAL) !== undefined || (jobGraph.runtimeMode === "BATCH" && this.#restartStrategy.canRestart);
    this.#results = new CollectedResults(holds, init.onCollected ?? (() => undefined));
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.result.catch(() => undefined);
  }

  get status(): JobStatus {
    return this.#status;
  }

  get exceptionHistory(): readonly ExceptionHistoryEntry[] {
    return this.#exceptions.entries;
  }

  /** Starts the job, from `execution.state-recovery.path` if that is set. Call once. */
  start(): void {
    void this.#restoreAndDeploy();
  }

  /** Stops the job; `result` settles when nothing of it runs any more. Does nothing when it has ended. */
  cancel(): void {
    if (finalStates.has(this.#status) || this.#status === "CANCELLING") return;
    this.#setStatus("CANCELLING");
    this.#stopTasks({ kind: "canceled" });
  }

  /** Takes a checkpoint now; resolves with its directory. A `full` one refers to no files of others. @throws `CHECKPOINT_FAILED` */
  async triggerCheckpoint(full: boolean = false): Promise<string> {
    this.#mustGoOn();
    return (await this.#coordinator.triggerNow(full)).path;
  }

  /** Takes a savepoint into a new directory below `directory`; resolves with that. @throws see {@link Savepoints.take} */
  async triggerSavepoint(directory?: string): Promise<string> {
    this.#mustGoOn();
    return this.#savepoints.take(directory);
  }

  /** Stops the job behind a savepoint; resolves with its directory when the job has finished. @throws see {@link Savepoints.stop} */
  async stopWithSavepoint(options: StopOptions = {}): Promise<string> {
    this.#mustGoOn();
    return this.#savepoints.stop(options);
  }

  /** Fails the job as if one of its tasks had failed: it restarts or fails as its strategy says. For tests. */
  injectFailure(error: unknown): void {
    this.#onFailure(undefined, serializeError(error));
  }

  metrics(): JobMetrics {
    return {
      status: this.#status, restarts: Math.max(0, this.#epoch - 1),
      checkpointsCompleted: this.#coordinator.completedCheckpoints, lastCheckpointDurationMs: this.#coordinator.lastDurationMs,
      lastCheckpointSize: this.#coordinator.lastCompleted?.writtenBytes, lastCheckpointFullSize: this.#coordinator.lastCompleted?.stateBytes,
      vertices: this.#reports.vertexMetrics(this.#init.jobGraph),
    };
  }

  /** Everything that is shown of the job, as it stands now. */
  view(): JobView {
    const locate = (slotIndex: number): TaskLocation => this.#locationOf(slotIndex);
    return {
      jobGraph: this.#init.jobGraph, status: this.#status, statusTimestamps: { ...this.#history.statusTimestamps },
      statusDurationsMs: this.#history.statusDurationsMs, nowMs: this.#init.env.clock.nowMs(), restarts: Math.max(0, this.#epoch - 1),
      vertices: this.#graph === undefined ? undeployed(this.#init.jobGraph, locate(0)) : this.#history.vertices(this.#graph, this.#reports, locate),
      accumulators: this.accumulators(), exceptions: [...this.#exceptions.entries],
      checkpoints: this.#checkpointStatistics.view((path) => this.#store.all.some((checkpoint) => checkpoint.path === path)),
    };
  }

  accumulators(): Record<string, unknown> {
    return this.#reports.accumulators();
  }

  /** Directory of the last completed checkpoint, while the job keeps it. */
  get lastCheckpointPath(): string | undefined {
    return this.#store.latest?.path;
  }

  async #restoreAndDeploy(): Promise<void> {
    try {
      const checkpoint = await initialCheckpoint(this.#init.env.fs, this.#config, this.#init.jobGraph);
      if (checkpoint !== undefined) {
        this.#store.add(checkpoint);
        this.#restoredFrom = checkpoint.path;
        this.#coordinator.continueAfter(checkpoint.metadata.checkpointId);
      }
    } catch (error) {
      if (this.#status === "INITIALIZING") this.#end({ kind: "failed", error: serializeError(error) });
      return;
    }
    if (this.#status !== "INITIALIZING") return;
    this.#setStatus("CREATED");
    this.#deploy();
  }

  #deploy(): void {
    const epoch = ++this.#epoch;
    this.#goal = undefined;
    this.#runSent = false;
    if (this.#graph !== undefined) this.#history.archive(this.#graph, this.#reports, (slotIndex) => this.#locationOf(slotIndex));
    this.#locations = undefined;
    this.#reports.clear();
    this.#graph = new ExecutionGraph(this.#init.jobGraph, epoch - 1, this.#assignment.slotOfSubtask, () => this.#init.env.clock.nowMs());
    this.#sources = new SourceCoordinators(epoch, this.#init.jobGraph, {
      send: (slotIndex, command) => this.#slots?.send(slotIndex, command),
      slotOf: (vertexId, subtask) => this.#assignment.slotOfSubtask[vertexId]![subtask]!,
      holds: (operatorId) => this.#coordinator.holdsEventsOf(operatorId),
    });
    this.#setStatus("RUNNING");
    const onEvent = (slotIndex: number, event: SlotEvent): void => {
      if (epoch === this.#epoch && (!("epoch" in event) || event.epoch === epoch)) this.#onEvent(slotIndex, event);
    };
    this.#init.slots.allocate({ epoch, numberOfSlots: this.#assignment.numberOfSlots, jobGraph: this.#init.jobGraph, onEvent }).then(
      (slots) => {
        this.#slots = slots;
        this.#locations = slots.locations;
        if (this.#goal === undefined) this.#deployOn(slots, epoch);
        else void this.#releaseAndReach();
      },
      (error: unknown) => {
        for (const execution of this.#graph!.all()) execution.transitionTo("CANCELED");
        if (this.#goal === undefined) this.#onFailure(undefined, serializeError(error));
        void this.#releaseAndReach();
      },
    );
  }

  #deployOn(slots: AllocatedSlots, epoch: number): void {
    const { jobGraph, checkpointDirectory, temporaryDirectory } = this.#init;
    const { numberOfSlots, slotOfSubtask } = this.#assignment;
    const graph = this.#graph!;
    for (let slotIndex = 0; slotIndex < numberOfSlots; slotIndex++) {
      slots.send(slotIndex, { type: "start", epoch, job: { jobGraph, slotIndex, numberOfSlots, checkpointDirectory, temporaryDirectory } });
    }
    slots.connectAll();
    const checkpoint = this.#store.latest;
    if (checkpoint !== undefined) this.#checkpointStatistics.restored(checkpoint.metadata.checkpointId, checkpoint.path, this.#init.env.clock.nowMs(), isSavepoint(checkpoint.metadata));
    this.#sources!.start((operatorId) => (checkpoint === undefined ? undefined : restoreCoordinator(checkpoint, operatorId)));
    const tasks: TaskDeployment[][] = Array.from({ length: numberOfSlots }, () => []);
    for (const execution of graph.all()) {
      const restore = checkpoint === undefined ? undefined : restoreTask(checkpoint, execution.vertex, execution.attempt.subtaskIndex);
      tasks[execution.slotIndex]!.push({ attempt: execution.attempt, restore, slotOfSubtask });
      execution.transitionTo("DEPLOYING");
    }
    tasks.forEach((ofSlot, slotIndex) => slots.send(slotIndex, { type: "deploy", epoch, tasks: ofSlot }));
  }

  #onEvent(slotIndex: number, event: SlotEvent): void {
    switch (event.type) {
      case "taskState": return this.#onTaskState(event);
      case "acknowledgeCheckpoint": return this.#coordinator.acknowledge(event);
      case "declineCheckpoint": return this.#coordinator.decline(event);
      case "finalCheckpointNeeded": {
        const execution = this.#graph?.find(event.attempt);
        if (execution !== undefined) execution.awaitsFinalCheckpoint = true;
        return this.#coordinator.finalCheckpointNeeded();
      }
      case "coordinatorEvent": return this.#sources?.fromOperator(event.operatorId, event.subtaskIndex, event.event);
      case "operatorEvent": return this.#sources?.fromCoordinator(event.operatorId, event.subtaskIndex, event.event);
      case "coordinatorSnapshot": return this.#coordinator.coordinatorSnapshot(event.operatorId, event.checkpointId, event.state);
      case "processingBacklog": return this.#coordinator.processingBacklog(event.operatorId, event.isProcessing);
      case "coordinatorFailed": return this.#onFailure(this.#sourceTaskName(event.operatorId), event.error);
      case "metrics": return this.#reports.putMetrics(event.attempt, event.values);
      case "accumulators": return this.#reports.putAccumulators(event.attempt, event.values);
      case "collected": return this.#goal === undefined ? this.#results.add(event) : undefined;
      case "log": return this.#init.env.log.write(event.level, event.line);
      case "slotFailed": return this.#onSlotFailed(slotIndex, event.error);
    }
  }

  #onTaskState(event: Extract<SlotEvent, { type: "taskState" }>): void {
    const execution = this.#graph?.find(event.attempt);
    if (execution === undefined || !execution.transitionTo(event.state)) return;
    switch (event.state) {
      case "INITIALIZING":
      case "RUNNING":
        return this.#runOnceDeployed();
      case "FINISHED":
        this.#runOnceDeployed();
        this.#sources!.subtaskFinished(execution.vertex, execution.attempt.subtaskIndex);
        if (this.#goal !== undefined) return this.#reachGoalOnceStopped();
        if (this.#graph!.every((other) => other.state === "FINISHED")) return this.#finish();
        return this.#coordinator.taskFinished(execution);
      case "FAILED":
        return this.#onFailure(execution.taskName, event.error ?? serializeError(new Error("the task failed")), execution);
      case "CANCELED":
        if (this.#goal === undefined) return this.#onFailure(execution.taskName, serializeError(new Error("the task was cancelled by nobody")));
        return this.#reachGoalOnceStopped();
      default:
    }
  }

  #runOnceDeployed(): void {
    if (this.#runSent || this.#goal !== undefined) return;
    if (!this.#graph!.every((execution) => execution.state === "INITIALIZING" || execution.state === "RUNNING" || execution.state === "FINISHED")) return;
    this.#runSent = true;
    this.#sendAll({ type: "run", epoch: this.#epoch });
    this.#coordinator.start(this.#graph!);
  }

  #onSlotFailed(slotIndex: number, error: SerializedError): void {
    for (const execution of this.#graph?.all() ?? []) if (execution.slotIndex === slotIndex) execution.transitionTo("FAILED");
    this.#onFailure(undefined, error);
  }

  #onFailure(taskName: string | undefined, error: SerializedError, execution?: Execution): void {
    if (finalStates.has(this.#status)) return;
    const ofTask = execution === undefined ? {} : { attemptNumber: execution.attempt.attemptNumber, location: this.#locationOf(execution.slotIndex) };
    const failure = { timestampMs: this.#init.env.clock.nowMs(), taskName, error, ...ofTask };
    if (this.#goal !== undefined) {
      this.#exceptions.addConcurrent(failure);
      return this.#reachGoalOnceStopped();
    }
    this.#exceptions.add(failure);
    this.#savepoints.jobFailed(error);
    const fatal = error.code !== undefined && error.recovery === "fail";
    const delayMs = fatal ? undefined : this.#restartStrategy.onFailure();
    if (delayMs === undefined) {
      this.#setStatus("FAILING");
      return this.#stopTasks({ kind: "failed", error });
    }
    this.#init.env.log.write("warn", `${describeFailure(taskName, error)}; restarting in ${delayMs} ms`);
    this.#setStatus("RESTARTING");
    this.#stopTasks({ kind: "restart", notBeforeMs: this.#init.env.clock.monotonicMs() + delayMs });
  }

  /** Cancels every task; what happens next waits until all have stopped, or will not. */
  #stopTasks(goal: Goal): void {
    const wasStopping = this.#goal !== undefined;
    this.#goal = goal;
    this.#results.drop();
    this.#coordinator.stop("the job was stopped");
    if (this.#restartTimer !== undefined) {
      this.#restartTimer.cancel();
      this.#restartTimer = undefined;
      return this.#reachGoal();
    }
    if (wasStopping) return;
    if (this.#graph === undefined) return this.#reachGoal();
    for (const execution of this.#graph.all()) execution.transitionTo(execution.state === "CREATED" ? "CANCELED" : "CANCELING");
    // Slots that are still being allocated are released when they come.
    if (this.#slots === undefined) return this.#init.slots.abandon?.();
    this.#sendAll({ type: "cancel", epoch: this.#epoch });
    this.#stopTimer = this.#init.env.clock.setTimer(this.#config.get(TASK_CANCELLATION_TIMEOUT), () => void this.#releaseAndReach());
    this.#reachGoalOnceStopped();
  }

  #reachGoalOnceStopped(): void {
    if (this.#graph!.every((execution) => execution.isTerminal)) void this.#releaseAndReach();
  }

  async #releaseAndReach(): Promise<void> {
    if (this.#releasing) return;
    this.#releasing = true;
    await this.#releaseSlots();
    this.#releasing = false;
    this.#reachGoal();
  }

  async #releaseSlots(): Promise<void> {
    this.#stopTimer?.cancel();
    this.#stopTimer = undefined;
    const slots = this.#slots;
    this.#slots = undefined;
    try {
      await slots?.release();
    } catch (error) {
      this.#init.env.log.write("warn", `cannot release the slots: ${(error as Error).message}`);
    }
  }

  /** Nothing runs any more: goes on to what the stop was for. */
  #reachGoal(): void {
    const goal = this.#goal!;
    if (goal.kind !== "restart") return this.#end(goal);
    const delayMs = Math.max(0, goal.notBeforeMs - this.#init.env.clock.monotonicMs());
    this.#restartTimer = this.#init.env.clock.setTimer(delayMs, () => {
      this.#restartTimer = undefined;
      this.#deploy();
    });
  }

  #finish(): void {
    this.#coordinator.stop("the job finished");
    this.#results.releaseAll();
    this.#goal = undefined;
    void this.#releaseSlots().then(() => this.#end({ kind: "finished" }));
  }

  #end(outcome: Goal | { readonly kind: "finished" }): void {
    if (finalStates.has(this.#status)) return;
    this.#coordinator.stop("the job ended");
    this.#coordinator.shutdown(ended());
    const { env, jobGraph } = this.#init;
    const status = outcome.kind === "finished" ? "FINISHED" : outcome.kind === "canceled" ? "CANCELED" : "FAILED";
    void this.#cleanUp(status).then(() => {
      const { jobId, jobName } = jobGraph;
      this.#setStatus(status);
      if (outcome.kind === "finished") {
        const netRuntimeMs = Math.round(env.clock.monotonicMs() - this.#startedMs);
        this.#settle.resolve({ jobId, jobName, netRuntimeMs, accumulators: this.accumulators() });
      } else if (outcome.kind === "canceled") {
        this.#settle.reject(new MillraceError({ code: "JOB_CANCELED", message: `the job "${jobName}" was cancelled` }));
      } else if (outcome.kind === "failed") {
        const restarts = this.#epoch > 1 ? ` after ${this.#epoch - 1} restart${this.#epoch > 2 ? "s" : ""}` : "";
        this.#settle.reject(new MillraceError({ code: "JOB_FAILED", message: `the job "${jobName}" failed${restarts}`, cause: deserializeError(outcome.error) }));
      }
    });
  }

  /** Deletes what the job leaves behind, unless it is to be retained. What it was restored from is never its own. */
  async #cleanUp(status: JobStatus): Promise<void> {
    await this.#store.deleteFiles(this.#init.temporaryDirectory);
    if (this.#isRetained(status)) return;
    await this.#store.discardAll();
    const { checkpointDirectory } = this.#init;
    if (this.#restoredFrom?.startsWith(`${checkpointDirectory}/`) !== true) await this.#store.deleteFiles(checkpointDirectory);
  }

  /** Flink's retention: a finished job keeps nothing. */
  #isRetained(status: JobStatus): boolean {
    const retention = this.#config.get(CHECKPOINTING_RETENTION);
    if (status === "FINISHED" || this.#store.all.every(({ external }) => external)) return false;
    return retention === "RETAIN_ON_CANCELLATION" || (retention === "DELETE_ON_CANCELLATION" && status === "FAILED");
  }

  #checkpointParties(): ConstructorParameters<typeof CheckpointCoordinator>[0]["parties"] {
    return {
      sourceCoordinators: [...sourceOperators(this.#init.jobGraph).keys()],
      snapshotCoordinator: (operatorId, checkpointId) => this.#sources!.snapshot(operatorId, checkpointId),
      triggerTasks: (tasks, checkpointId, timestampMs, options) => this.#triggerTasks(tasks, { checkpointId, timestampMs, options }),
      releaseCoordinatorEvents: () => this.#sources?.releaseHeld(),
      notifyComplete: ({ path, metadata }) => {
        const { checkpointId } = metadata;
        if (isSavepoint(metadata)) this.#savepoints.stopsBehind(path);
        this.#results.checkpointComplete(checkpointId);
        this.#sendAll({ type: "checkpointComplete", epoch: this.#epoch, checkpointId });
      },
      notifyAborted: (checkpointId) => this.#sendAll({ type: "checkpointAborted", epoch: this.#epoch, checkpointId }),
      failJob: (error) => this.#onFailure(undefined, serializeError(error)),
    };
  }

  #triggerTasks(tasks: readonly Execution[], checkpoint: { readonly checkpointId: number; readonly timestampMs: number; readonly options: CheckpointOptions }): void {
    const bySlot = new Map<number, Execution["attempt"][]>();
    for (const { slotIndex, attempt } of tasks) bySlot.set(slotIndex, [...(bySlot.get(slotIndex) ?? []), attempt]);
    for (const [slotIndex, attempts] of bySlot) {
      this.#slots?.send(slotIndex, { type: "triggerCheckpoint", epoch: this.#epoch, ...checkpoint, tasks: attempts });
    }
  }

  /** @throws `JOB_NOT_RUNNING` */
  #mustGoOn(): void {
    if (finalStates.has(this.#status)) throw ended();
  }

  #sendAll(command: SlotCommand): void {
    for (let slotIndex = 0; slotIndex < this.#assignment.numberOfSlots; slotIndex++) this.#slots?.send(slotIndex, command);
  }

  #locationOf(slotIndex: number): TaskLocation {
    return this.#locations?.[slotIndex] ?? this.#init.slots.unassigned ?? embeddedLocation;
  }

  #sourceTaskName(operatorId: string): string | undefined {
    const operator = this.#init.jobGraph.vertices.flatMap((vertex) => vertex.operators).find(({ id }) => id === operatorId);
    return operator === undefined ? undefined : `SourceCoordinator ${operator.name}`;
  }

  #setStatus(status: JobStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#history.entered(status);
    this.#init.onStatus?.(status);
  }
}

/** The job's configuration; batch jobs take no periodic checkpoints, as in Flink. */
function checkpointConfig(jobGraph: JobGraph): Configuration {
  const values: Record<string, unknown> = { ...jobGraph.config };
  if (jobGraph.runtimeMode === "BATCH") delete values[CHECKPOINTING_INTERVAL.key];
  return Configuration.of(values, allOptions);
}

/** In one line: the operator or task, what happened, and where in the user's code it began. */
function describeFailure(taskName: string | undefined, error: SerializedError): string {
  const { operator, subtask } = error.location ?? {};
  const named = operator !== undefined && error.message.includes(operator);
  const where = operator === undefined ? `${taskName ?? "the job"} failed: ` : named ? "" : `operator "${operator}" (subtask ${subtask ?? 0}) failed: `;
  const place = userPlace(error);
  return `${where}${error.message}${place === undefined || error.message.includes(place) ? "" : ` (at ${place})`}`;
}

function ended(): MillraceError {
  return new MillraceError({ code: "JOB_NOT_RUNNING", message: "the job has ended" });
}
