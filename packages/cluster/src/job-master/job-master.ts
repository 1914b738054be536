import { CHECKPOINTING_RETAINED, FAILOVER_STRATEGY, SAVEPOINT_PATH, TASK_CANCELLATION_TIMEOUT, serializeError } from "@millrace/core";
import type { Configuration, SerializedError } from "@millrace/core";
import type { JobExecutionResult, JobGraph, JobMetrics, JobStatus, SavepointFormat, StopOptions } from "@millrace/graph";
import type { SlotEvent } from "@millrace/runtime";
import { CheckpointCoordinator } from "../checkpoint/checkpoint-coordinator.js";
import { CheckpointStatisticsTracker } from "../checkpoint/checkpoint-statistics.js";
import { isSavepoint } from "../checkpoint/checkpoint-metadata.js";
import type { CheckpointStore } from "../checkpoint/checkpoint-store.js";
import { CompletedCheckpointStore, type CompletedCheckpoint } from "../checkpoint/completed-checkpoint-store.js";
import type { CheckpointParties } from "../checkpoint/checkpoint-parties.js";
import { initialCheckpoint } from "../checkpoint/initial-checkpoint.js";
import { withoutMetadata } from "../checkpoint/savepoint-files.js";
import { Savepoints, noneInBatch } from "../checkpoint/savepoints.js";
import { AdaptiveScheduler, adaptiveScheduler } from "../scheduler/adaptive-scheduler.js";
import { failoverRegions, oneRegion, type FailoverRegion } from "../scheduler/failover-regions.js";
import { rescalingUnavailable, type ResourceRequirements } from "../scheduler/resource-requirements.js";
import { createRestartStrategy, type RestartStrategy } from "../scheduler/restart-strategy.js";
import { checkpointParties } from "./checkpointed-job.js";
import { ExceptionHistory, type ExceptionHistoryEntry } from "./exception-history.js";
import type { Execution } from "./execution-graph.js";
import { JobDeployer } from "./job-deployer.js";
import { describeFailure, ended, finalStates, isSameLoss, jobSuspended, type JobEnd } from "./job-end.js";
import type { Goal, Restart } from "./job-goal.js";
import { JobHistory, undeployed } from "./job-history.js";
import { JobEnding } from "./job-ending.js";
import { checkpointConfig, type JobMasterInit } from "./job-master-init.js";
import type { JobView } from "./job-view.js";
import type { RegionDeployment } from "./region-deployment.js";
import { ResultFlow } from "./result-flow.js";
import { sourceTaskName } from "./source-coordinators.js";
import { TaskReports } from "./task-reports.js";

/**
 * Runs one job: deploys its tasks, takes checkpoints, restarts it after failures, ends it.
 *
 * A state machine on one thread: `start`, `cancel`, `triggerCheckpoint`, `updateRequirements` and the slots' events are its only inputs. Every deployment
 * of a region is an epoch; an event of another epoch has no effect. A failure of a task takes its region back to the last completed checkpoint; with the
 * adaptive scheduler the job is one region, whose parallelism may change at each deployment.
 * Status: INITIALIZING → CREATED → RUNNING → (RESTARTING → RUNNING)* → FINISHED, or FAILING → FAILED, or CANCELLING → CANCELED;
 * SUSPENDED when the leadership is lost.
 */
export class JobMaster {
  /** Resolves when the job finished; rejects with `JOB_FAILED` (cause: the failure that ended it), `JOB_CANCELED` or `JOB_SUSPENDED`. */
  readonly result: Promise<JobExecutionResult>;
  readonly #ending: JobEnding;
  readonly #init: JobMasterInit;
  readonly #config: Configuration;
  readonly #adaptive: AdaptiveScheduler | undefined;
  readonly #restartStrategy: RestartStrategy;
  readonly #store: CheckpointStore;
  readonly #coordinator: CheckpointCoordinator;
  readonly #savepoints: Savepoints;
  readonly #exceptions = new ExceptionHistory();
  readonly #history: JobHistory;
  readonly #checkpointStatistics = new CheckpointStatisticsTracker();
  readonly #reports = new TaskReports();
  readonly #flow: ResultFlow;
  readonly #startedMs: number;
  #status: JobStatus = "INITIALIZING";
  readonly #deployer: JobDeployer;
  readonly #restarting = new Map<number, Restart>();
  #restarts = 0;
  #downSinceMs: number | undefined;
  #lastRestartDurationMs: number | undefined;
  #goal: Goal | undefined;
  #finishing = false;

  constructor(init: JobMasterInit) {
    this.#init = init;
    const { env, jobGraph } = init;
    this.#config = checkpointConfig(jobGraph);
    this.#startedMs = env.clock.monotonicMs();
    this.#history = new JobHistory(this.#status, () => env.clock.nowMs());
    this.#adaptive = adaptiveScheduler({
      env, jobGraph, config: this.#config, slots: init.slots, requirements: init.requirements, onRequirements: init.onRequirements,
      host: { rescale: () => this.#rescale(), takeCheckpoint: () => void this.#coordinator.triggerNow().catch(() => undefined) },
    });
    this.#deployer = new JobDeployer(jobGraph, {
      env, slots: init.slots, firstAttempt: init.firstAttempt ?? 0, checkpointDirectory: init.checkpointDirectory, temporaryDirectory: init.temporaryDirectory, history: this.#history, reports: this.#reports,
      cancellationTimeoutMs: this.#config.get(TASK_CANCELLATION_TIMEOUT),
      links: {
        onEvent: (deployment, slotIndex, event) => this.#onEvent(deployment, slotIndex, event),
        onNoSlots: (deployment, error) => this.#onFailure(deployment, undefined, error),
        onRunning: () => this.#onRunning(),
        holds: (operatorId) => this.#coordinator.holdsEventsOf(operatorId),
        checkpoint: () => this.#restored(),
      },
    });
    this.#restartStrategy = createRestartStrategy(this.#config, env.clock, env.rng);
    this.#store = init.checkpoints ?? new CompletedCheckpointStore(env, this.#config.get(CHECKPOINTING_RETAINED));
    this.#ending = new JobEnding(init, this.#config, this.#store);
    this.result = this.#ending.result;
    this.#coordinator = new CheckpointCoordinator({
      env, config: this.#config, directory: init.checkpointDirectory, store: this.#store, parties: this.#parties(), statistics: this.#checkpointStatistics,
      onlyAtTheEnd: jobGraph.runtimeMode === "BATCH",
    });
    this.#savepoints = new Savepoints({ env, jobGraph, config: this.#config, coordinator: this.#coordinator, defaultDirectory: init.savepointDirectory, result: () => this.result });
    this.#flow = new ResultFlow(init, this.#config, this.#restartStrategy.canRestart, (error) => {
      this.#flow.results.dropAll();
      this.#onFailure(undefined, undefined, serializeError(error));
    });
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
    this.#stopAll({ kind: "canceled" });
  }

  /**
   * Lets go of the job because this process no longer leads: nothing of it is cancelled, ended or deleted, and nothing that its tasks say has an
   * effect any more. Whoever gave the slots takes them back. Does nothing when the job has ended.
   */
  suspend(): void {
    if (finalStates.has(this.#status)) return;
    this.#adaptive?.stopped();
    this.#flow.results.dropAll();
    for (const { timer } of this.#restarting.values()) timer?.cancel();
    for (const deployment of this.#deployer.regions?.all ?? []) deployment.abandon();
    const error = jobSuspended(this.#init.jobGraph.jobName);
    this.#coordinator.stop("the leadership was lost", error);
    void this.#coordinator.shutdown(error);
    this.#init.slots.abandon?.();
    this.#setStatus("SUSPENDED");
    this.#ending.abandon(error);
  }

  /** Takes a checkpoint now; resolves with its directory. A `full` one refers to no files of others. @throws `CHECKPOINT_FAILED`, `SAVEPOINT_IN_BATCH` */
  async triggerCheckpoint(full: boolean = false): Promise<string> {
    this.#mustGoOn();
    if (this.#init.jobGraph.runtimeMode === "BATCH") throw noneInBatch(this.#init.jobGraph, "checkpoints on demand");
    return (await this.#coordinator.triggerNow(full)).path;
  }

  /** Takes a savepoint into a new directory below `directory`; resolves with that. @throws see {@link Savepoints.take} */
  async triggerSavepoint(directory?: string, formatType?: SavepointFormat): Promise<string> {
    this.#mustGoOn();
    return this.#savepoints.take(directory, formatType);
  }

  /** Stops the job behind a savepoint; resolves with its directory once it has finished. The same `requestId` is the same stop. @throws see {@link Savepoints.stop} */
  async stopWithSavepoint(options: StopOptions = {}, requestId?: string): Promise<string> {
    const same = this.#savepoints.stopOf(requestId);
    if (same !== undefined) return same;
    this.#mustGoOn();
    return this.#savepoints.stop(options, requestId);
  }

  /** Least and most parallelism of each vertex. Without the adaptive scheduler they are what the job has. */
  get requirements(): ResourceRequirements {
    return this.#adaptive?.requirements ?? Object.fromEntries(this.#deployer.jobGraph.vertices.map(({ id, parallelism }) => [id, { lowerBound: 1, upperBound: parallelism }]));
  }

  /**
   * Rescales the job to new bounds, as far as there are slots. With high availability it resolves, and they take effect, once the next leader would know
   * them. While the job stops behind a savepoint they have no effect, unless it goes on after all.
   * @throws `RESCALING_UNAVAILABLE`, `RESOURCE_REQUIREMENTS_INVALID`, `JOB_NOT_RUNNING`
   */
  async updateRequirements(requirements: ResourceRequirements): Promise<void> {
    this.#mustGoOn();
    if (this.#adaptive === undefined) throw rescalingUnavailable(this.#deployer.jobGraph);
    await this.#adaptive.updateRequirements(requirements);
  }

  /** The plan as it is deployed now. */
  get jobGraph(): JobGraph {
    return this.#deployer.jobGraph;
  }

  /** Fails the job as if one of its tasks had failed: it restarts or fails as its strategy says. For tests. */
  injectFailure(error: unknown): void {
    this.#onFailure(undefined, undefined, serializeError(error));
  }

  metrics(): JobMetrics {
    return {
      status: this.#status, restarts: this.#restarts, rescales: this.#adaptive?.rescales ?? 0, lastRestartDurationMs: this.#lastRestartDurationMs,
      checkpointsCompleted: this.#coordinator.completedCheckpoints, lastCheckpointDurationMs: this.#coordinator.lastDurationMs,
      lastCheckpointSize: this.#coordinator.lastCompleted?.writtenBytes, lastCheckpointFullSize: this.#coordinator.lastCompleted?.stateBytes,
      vertices: this.#reports.vertexMetrics(this.#deployer.jobGraph),
    };
  }

  /** Everything that is shown of the job, as it stands now. */
  view(): JobView {
    return {
      jobGraph: this.#deployer.jobGraph, status: this.#status, statusTimestamps: { ...this.#history.statusTimestamps },
      statusDurationsMs: this.#history.statusDurationsMs, nowMs: this.#init.env.clock.nowMs(), restarts: this.#restarts,
      rescales: this.#adaptive?.rescales ?? 0, rescaling: this.#adaptive?.view(), lastRestartDurationMs: this.#lastRestartDurationMs,
      vertices: this.#deployer.graph === undefined ? undeployed(this.#deployer.jobGraph, this.#deployer.unassigned) : this.#history.vertices(this.#deployer.graph, this.#reports, (execution) => this.#deployer.locationOf(execution)),
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
      await this.#ending.after(this.#restore());
    } catch (error) {
      if (this.#status === "INITIALIZING") this.#end({ kind: "failed", error: serializeError(error) });
      return;
    }
    if (this.#status !== "INITIALIZING") return;
    this.#setStatus("CREATED");
    this.#deploy();
  }

  /** The job's own checkpoints, of earlier leaders, come before the one it was submitted with. */
  async #restore(): Promise<void> {
    const configured = this.#config.get(SAVEPOINT_PATH);
    await this.#ending.recover();
    const latest = this.#store.latest;
    if (latest?.stop !== undefined) this.#savepoints.leaderLost(latest.path, latest.stop);
    if (configured === undefined) return;
    this.#ending.restoredFrom = withoutMetadata(this.#init.env.fs.resolve(configured));
    if (latest !== undefined) return;
    const checkpoint = await initialCheckpoint(this.#init.env.fs, this.#config, this.#init.jobGraph);
    // A job that has been cancelled meanwhile claims nothing.
    if (checkpoint === undefined || this.#goal !== undefined || this.#status !== "INITIALIZING") return;
    await this.#store.add(checkpoint);
    this.#coordinator.continueAfter(checkpoint.metadata.checkpointId);
  }

  /** Deploys all of the job, once it is known how wide. */
  #deploy(): void {
    const adaptive = this.#adaptive;
    if (adaptive === undefined) return this.#deployPlan(this.#init.jobGraph);
    adaptive.nextPlan().then(
      (plan) => {
        if (this.#goal === undefined && !finalStates.has(this.#status)) this.#deployPlan(plan);
      },
      (error: unknown) => this.#onFailure(undefined, undefined, serializeError(error)),
    );
  }

  #deployPlan(jobGraph: JobGraph): void {
    const byRegion = this.#adaptive === undefined && this.#config.get(FAILOVER_STRATEGY) === "region";
    this.#setStatus("RUNNING");
    this.#deployer.deployAll(jobGraph, byRegion ? failoverRegions(jobGraph) : oneRegion(jobGraph));
  }

  /** Starts a region again, as wide as before. */
  #redeploy(region: FailoverRegion): void {
    if (this.#restarting.size === 0) this.#setStatus("RUNNING");
    this.#deployer.redeploy(region);
  }

  #restored(): CompletedCheckpoint | undefined {
    const checkpoint = this.#store.latest;
    if (checkpoint !== undefined) this.#checkpointStatistics.restored(checkpoint.metadata.checkpointId, checkpoint.path, this.#init.env.clock.nowMs(), isSavepoint(checkpoint.metadata));
    return checkpoint;
  }

  #onEvent(deployment: RegionDeployment, slotIndex: number, event: SlotEvent): void {
    if (this.#status === "SUSPENDED") return;
    const { sources } = deployment;
    switch (event.type) {
      case "taskState": return this.#onTaskState(deployment, event);
      case "acknowledgeCheckpoint": return this.#coordinator.acknowledge(event);
      case "declineCheckpoint": return this.#coordinator.decline(event);
      case "finalCheckpointNeeded": {
        const execution = this.#deployer.graph?.find(event.attempt);
        if (execution !== undefined) execution[event.hasUncommitted === false ? "hasEnded" : "awaitsFinalCheckpoint"] = true;
        return this.#coordinator.finalCheckpointNeeded();
      }
      case "coordinatorEvent": return sources.fromOperator(event.operatorId, event.subtaskIndex, event.event);
      case "operatorEvent": return sources.fromCoordinator(event.operatorId, event.subtaskIndex, event.event);
      case "coordinatorSnapshot": return this.#coordinator.coordinatorSnapshot(event.operatorId, event.checkpointId, event.state);
      case "processingBacklog": return this.#coordinator.processingBacklog(event.operatorId, event.isProcessing);
      case "coordinatorFailed": return this.#onFailure(deployment, sourceTaskName(this.#init.jobGraph, event.operatorId), event.error);
      case "metrics": return this.#reports.putMetrics(event.attempt, event.values);
      case "accumulators": return this.#reports.putAccumulators(event.attempt, event.values);
      case "collected": return this.#flow.collected(deployment, slotIndex, event);
      case "log": return this.#flow.logged(deployment, slotIndex, event);
      case "slotFailed": return this.#onSlotFailed(deployment, slotIndex, event.error);
    }
  }

  #onTaskState(deployment: RegionDeployment, event: Extract<SlotEvent, { type: "taskState" }>): void {
    const execution = this.#deployer.graph?.find(event.attempt);
    if (execution === undefined || !execution.transitionTo(event.state)) return;
    switch (event.state) {
      case "INITIALIZING":
        return deployment.runOnceDeployed();
      case "RUNNING":
        deployment.runOnceDeployed();
        return this.#noteAllBack();
      case "FINISHED":
        deployment.runOnceDeployed();
        deployment.sources.subtaskFinished(execution.vertex, execution.attempt.subtaskIndex);
        deployment.taskEnded();
        if (deployment.stopping) return;
        if (this.#deployer.graph!.every((other) => other.state === "FINISHED")) return this.#finish();
        return this.#coordinator.taskFinished(execution);
      case "FAILED":
        return this.#onFailure(deployment, execution.taskName, event.error ?? serializeError(new Error("the task failed")), execution);
      case "CANCELED":
        deployment.taskEnded();
        if (!deployment.stopping) this.#onFailure(deployment, execution.taskName, serializeError(new Error("the task was cancelled by nobody")));
        return;
      default:
    }
  }

  /** The end of a restart: every task has its state and runs. */
  #noteAllBack(): void {
    if (this.#downSinceMs === undefined || !this.#deployer.graph!.every(({ state }) => state === "RUNNING" || state === "FINISHED")) return;
    this.#lastRestartDurationMs = Math.round(this.#init.env.clock.monotonicMs() - this.#downSinceMs);
    this.#downSinceMs = undefined;
    this.#init.env.log.write("info", `all tasks run again ${this.#lastRestartDurationMs} ms after they began to stop`);
  }

  /** Once every region runs, checkpoints can be taken. */
  #onRunning(): void {
    if (!this.#deployer.regions!.all.every((deployment) => deployment.running)) return;
    this.#coordinator.start(this.#deployer.graph!);
    // Asked for by tasks that went on running meanwhile.
    this.#coordinator.finalCheckpointNeeded();
    if (this.#coordinator.stopping) this.#adaptive?.stoppingBehindSavepoint();
    else this.#adaptive?.executing();
  }

  #onSlotFailed(deployment: RegionDeployment, slotIndex: number, error: SerializedError): void {
    for (const execution of this.#deployer.graph!.of(deployment.region.vertices)) if (execution.slotIndex === slotIndex) execution.transitionTo("FAILED");
    this.#onFailure(deployment, undefined, error);
  }

  /** Of a region, or of what belongs to none: then all of the job restarts or fails. */
  #onFailure(deployment: RegionDeployment | undefined, taskName: string | undefined, error: SerializedError, execution?: Execution): void {
    if (finalStates.has(this.#status) || (this.#finishing && error.recovery !== "fail")) return;
    const { clock, log } = this.#init.env;
    const ofTask = execution === undefined ? {} : { attemptNumber: execution.attempt.attemptNumber, location: this.#deployer.locationOf(execution) };
    const failure = { timestampMs: clock.nowMs(), taskName, error, ...ofTask };
    deployment?.taskEnded();
    if (this.#goal !== undefined || deployment?.stopping === true) return this.#exceptions.addConcurrent(failure);
    const joined = [...this.#restarting.values()].find(({ cause }) => isSameLoss(cause, error));
    if (joined !== undefined && deployment !== undefined) {
      this.#exceptions.addConcurrent(failure);
      return this.#restart([deployment], joined.cause, joined.notBeforeMs);
    }
    this.#exceptions.add(failure);
    this.#savepoints.jobFailed(error);
    const fatal = error.code !== undefined && error.recovery === "fail";
    const delayMs = fatal ? undefined : this.#restartStrategy.onFailure();
    if (delayMs === undefined) {
      this.#setStatus("FAILING");
      return this.#stopAll({ kind: "failed", error });
    }
    log.write("warn", `${describeFailure(taskName, error)}; restarting in ${delayMs} ms`);
    this.#restarts++;
    this.#setStatus("RESTARTING");
    this.#restart(deployment === undefined || this.#coordinator.draining ? this.#deployer.regions?.all ?? [] : [deployment], error, clock.monotonicMs() + delayMs);
  }

  /** Takes regions down, and up again when it is time. Those that are down already stay as they are. */
  #restart(deployments: readonly RegionDeployment[], cause: SerializedError, notBeforeMs: number): void {
    const { clock } = this.#init.env;
    const goingDown = deployments.filter(({ stopping }) => !stopping);
    if (goingDown.length === 0) return;
    this.#downSinceMs ??= clock.monotonicMs();
    this.#adaptive?.failed(cause);
    this.#coordinator.stop("a task failed");
    for (const deployment of goingDown) {
      const { region } = deployment;
      const restart: Restart = { cause, notBeforeMs };
      this.#restarting.set(region.index, restart);
      this.#flow.results.drop(region.index);
      void this.#stopped([deployment]).then(() => {
        if (this.#goal !== undefined || finalStates.has(this.#status)) return;
        restart.timer = clock.setTimer(Math.max(0, notBeforeMs - clock.monotonicMs()), () => {
          this.#restarting.delete(region.index);
          if (this.#adaptive === undefined) this.#redeploy(region);
          else this.#deploy();
        });
      });
    }
  }

  /** Stops everything to go on with another parallelism. */
  #rescale(): void {
    if (this.#goal !== undefined || this.#restarting.size > 0 || this.#status !== "RUNNING") return;
    this.#downSinceMs ??= this.#init.env.clock.monotonicMs();
    this.#setStatus("RESTARTING");
    this.#stopAll({ kind: "rescale" });
  }

  /** Cancels every task; what happens next waits until all have stopped, or will not. */
  #stopAll(goal: Goal): void {
    const wasStopping = this.#goal !== undefined;
    this.#goal = goal;
    // Whoever cancels a job does not wait for a program that takes nothing.
    if (goal.kind === "canceled") this.#flow.results.dropAll();
    else this.#flow.results.drop();
    this.#adaptive?.stoppedFor(goal);
    this.#coordinator.stop("the job was stopped");
    for (const { timer } of this.#restarting.values()) timer?.cancel();
    this.#restarting.clear();
    if (wasStopping) return;
    void this.#stopped(this.#deployer.regions?.all ?? []).then(() => this.#reachGoal());
  }

  /** Resolves when nothing of them runs any more, and it is known what the next attempt begins with. */
  async #stopped(deployments: readonly RegionDeployment[]): Promise<void> {
    await Promise.all(deployments.map((deployment) => deployment.stop()));
    const { settled } = this.#coordinator;
    if (settled !== undefined) await settled;
  }

  /** Nothing runs any more: goes on to what the stop was for. */
  #reachGoal(): void {
    if (finalStates.has(this.#status)) return;
    const goal = this.#goal!;
    if (goal.kind !== "rescale") return void this.#flow.results.delivered().then(() => this.#end(this.#goal!));
    this.#goal = undefined;
    this.#deploy();
  }

  /** Every task has finished: what is left is what the program has yet to take. */
  #finish(): void {
    this.#finishing = true;
    this.#coordinator.stop("the job finished");
    this.#adaptive?.stoppedFor({ kind: "finished" });
    const { results } = this.#flow;
    results.releaseAll();
    void Promise.all(this.#deployer.regions!.all.map((deployment) => deployment.release())).then(() => this.#coordinator.settled).then(() => results.delivered()).then(() => {
      if (this.#goal === undefined) this.#end({ kind: "finished" });
    });
  }

  #end(outcome: Goal | { readonly kind: "finished" }): void {
    if (!this.#ending.begin()) return;
    this.#adaptive?.stoppedFor(outcome);
    this.#coordinator.stop("the job ended");
    const shutDown = this.#coordinator.shutdown(ended());
    const { env, jobGraph: { jobId, jobName } } = this.#init;
    const result = { jobId, jobName, netRuntimeMs: Math.round(env.clock.monotonicMs() - this.#startedMs), accumulators: this.accumulators() };
    const end: JobEnd =
      outcome.kind === "finished" ? { status: "FINISHED", result, stop: this.#savepoints.completedStop }
      : outcome.kind === "failed" ? { status: "FAILED", error: outcome.error }
      : { status: "CANCELED" };
    void shutDown.then(() => this.#ending.decide(end)).then(() => {
      if (finalStates.has(this.#status)) return;
      this.#setStatus(end.status);
      this.#ending.tell(end, this.#restarts);
    });
  }

  #parties(): CheckpointParties {
    return checkpointParties({
      jobGraph: this.#init.jobGraph, regions: () => this.#deployer.regions, savepoints: () => this.#savepoints, results: () => this.#flow.results, adaptive: this.#adaptive,
      failJob: (error) => this.#onFailure(undefined, undefined, serializeError(error)),
    });
  }

  /** @throws `JOB_NOT_RUNNING` */
  #mustGoOn(): void {
    if (finalStates.has(this.#status)) throw ended();
  }

  #setStatus(status: JobStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#history.entered(status);
    this.#init.onStatus?.(status);
  }
}
