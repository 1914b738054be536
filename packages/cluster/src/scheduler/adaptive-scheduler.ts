import {
  ADAPTIVE_ACTIVE_CHECKPOINT, ADAPTIVE_COOLDOWN, ADAPTIVE_EXECUTING_STABILIZATION, ADAPTIVE_MAX_CHECKPOINT_FAILURES, ADAPTIVE_MAX_DELAY,
  ADAPTIVE_SUBMISSION_STABILIZATION, ADAPTIVE_WAIT_TIMEOUT, CHECKPOINTING_INTERVAL, CHECKPOINTING_TIMEOUT, MillraceError, RESCALE_HISTORY_SIZE, SCHEDULER, SCHEDULER_MODE,
} from "@millrace/core";
import type { Cancellable, Configuration, Env, SerializedError } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import type { Goal } from "../job-master/job-goal.js";
import { RescaleTimeline, type RescaleEnd, type RescalesView } from "./rescale-timeline.js";
import { checkRequirements, initialRequirements, type ResourceRequirements } from "./resource-requirements.js";
import { slotParallelism, slotsFor, withParallelism } from "./slot-parallelism.js";
import type { SlotProvider } from "./slot-provider.js";
import { StateTransitionManager } from "./state-transition-manager.js";

/** The JobMaster, as its scheduler needs it. */
export interface RescalingHost {
  /** Stops all tasks and asks for the next plan. */
  rescale(): void;
  /** Takes a checkpoint as soon as possible. */
  takeCheckpoint(): void;
}

export interface AdaptiveSchedulerInit {
  readonly env: Pick<Env, "clock" | "log">;
  readonly jobGraph: JobGraph;
  readonly config: Configuration;
  readonly slots: SlotProvider;
  readonly host: RescalingHost;
  /** Default: see {@link initialRequirements}. */
  readonly requirements?: ResourceRequirements | undefined;
  /** Writes new ones down for the next leader. */
  readonly onRequirements?: ((requirements: ResourceRequirements) => Promise<void>) | undefined;
}

/** Flink's states that are the scheduler's own; Failing, Canceling and Finished are the job's. */
export type AdaptiveState = "Created" | "WaitingForResources" | "CreatingExecutionGraph" | "Executing" | "StopWithSavepoint" | "Restarting";

/** How a job rescales, and what came of it. Plain data. */
export interface RescalingView {
  readonly isReactive: boolean;
  /** Rescales that are remembered; 0 remembers none. */
  readonly maxHistory: number;
  /** `undefined` waits without end. */
  readonly resourceWaitTimeoutMs: number | undefined;
  readonly submissionStabilizationMs: number;
  readonly cooldownMs: number;
  readonly executingStabilizationMs: number;
  readonly maxTriggerDelayMs: number;
  readonly maxCheckpointFailures: number;
  /** `undefined` when none are remembered. */
  readonly rescales: RescalesView | undefined;
}

interface Waiting {
  readonly manager: StateTransitionManager;
  readonly timer: Cancellable | undefined;
  readonly unwatch: (() => void) | undefined;
}

/**
 * Decides how wide a streaming job runs: as wide as the slots that there are and its requirements allow. While it runs, more slots or other requirements
 * rescale it, behind a checkpoint. Of a job that fails only the next plan is asked for. A state machine on the JobMaster's thread. Flink: AdaptiveScheduler.
 */
export class AdaptiveScheduler {
  readonly #init: AdaptiveSchedulerInit;
  readonly #reactive: boolean;
  #requirements: ResourceRequirements;
  /** Changes that are being written down, in order. */
  #updating: Promise<void> = Promise.resolve();
  readonly #timeline: RescaleTimeline | undefined;
  #state: AdaptiveState = "Created";
  #enteredMs: number;
  /** Parallelism of the last plan, by vertex. */
  #planned: ReadonlyMap<string, number> = new Map();
  #waiting: Waiting | undefined;
  #executing: { readonly manager: StateTransitionManager; readonly unwatch: (() => void) | undefined } | undefined;
  #checkpointFailures = 0;
  /** When the last plan was run that a rescale asked for. */
  #lastRescaleMs = Number.NEGATIVE_INFINITY;
  #rescaling = false;
  #rescales = 0;

  constructor(init: AdaptiveSchedulerInit) {
    this.#init = init;
    // Without a limit to its slots a job would be as wide as it has key groups.
    this.#reactive = init.config.get(SCHEDULER_MODE) === "reactive" && init.slots.availableSlots !== undefined;
    this.#requirements = init.requirements ?? initialRequirements(init.jobGraph, this.#reactive);
    const { clock } = init.env;
    this.#enteredMs = clock.nowMs();
    const maxHistory = init.config.get(RESCALE_HISTORY_SIZE);
    this.#timeline = maxHistory > 0 ? new RescaleTimeline(clock, init.jobGraph, maxHistory) : undefined;
    this.#timeline?.begin("INITIAL_SCHEDULE", this.#requirements, true);
  }

  get state(): AdaptiveState {
    return this.#state;
  }

  get requirements(): ResourceRequirements {
    return this.#requirements;
  }

  /** Rescales that were begun. */
  get rescales(): number {
    return this.#rescales;
  }

  view(): RescalingView {
    const { config } = this.#init;
    return {
      isReactive: this.#reactive, maxHistory: Math.max(0, config.get(RESCALE_HISTORY_SIZE)), resourceWaitTimeoutMs: this.#waitTimeoutMs,
      submissionStabilizationMs: this.#orReactive(ADAPTIVE_SUBMISSION_STABILIZATION), cooldownMs: config.get(ADAPTIVE_COOLDOWN),
      executingStabilizationMs: this.#orReactive(ADAPTIVE_EXECUTING_STABILIZATION), maxTriggerDelayMs: this.#maxTriggerDelayMs,
      maxCheckpointFailures: config.get(ADAPTIVE_MAX_CHECKPOINT_FAILURES), rescales: this.#timeline?.view(),
    };
  }

  /** Takes effect once it is written down, as far as there are slots. @throws `RESOURCE_REQUIREMENTS_INVALID` */
  async updateRequirements(requirements: ResourceRequirements): Promise<void> {
    const { jobGraph, onRequirements } = this.#init;
    checkRequirements(requirements, jobGraph);
    if (onRequirements === undefined) return this.#take(requirements);
    const update = this.#updating.then(() => onRequirements(requirements)).then(() => this.#take(requirements));
    this.#updating = update.catch(() => undefined);
    await update;
  }

  #take(requirements: ResourceRequirements): void {
    this.#requirements = requirements;
    this.#endRescale("RESOURCE_REQUIREMENTS_UPDATED");
    this.#timeline?.begin("UPDATE_REQUIREMENT", requirements, true);
    this.#waiting?.manager.onChange();
    this.#executing?.manager.onChange();
    // One that there are too few slots for goes on.
    if (this.#executing !== undefined && this.#hasDesired && !this.#wouldChange()) this.#endRescale("NO_RESOURCES_OR_PARALLELISMS_CHANGE");
  }

  /**
   * Waits for slots and resolves with the plan for them; it is to be deployed at once. Never settles when {@link stopped} is called meanwhile.
   * @throws `SLOTS_UNAVAILABLE`
   */
  nextPlan(): Promise<JobGraph> {
    this.#leave();
    const atOnce = this.#rescaling ? this.#plan() : undefined;
    if (atOnce !== undefined) return Promise.resolve(atOnce);
    this.#enter("WaitingForResources");
    return new Promise((resolve, reject) => this.#wait(resolve, reject));
  }

  /** All tasks of the last plan run. */
  executing(): void {
    const { env: { clock }, config, slots, host } = this.#init;
    if (this.#rescaling) this.#lastRescaleMs = clock.monotonicMs();
    this.#rescaling = false;
    const isAsBefore = this.#state === "StopWithSavepoint";
    this.#enter("Executing");
    if (!isAsBefore) this.#endRescale("SUCCEEDED");
    this.#checkpointFailures = 0;
    const manager = new StateTransitionManager(clock, {
      hasDesiredResources: () => this.#hasDesired,
      hasSufficientResources: () => this.#wouldChange(),
      begins: () => {
        if (this.#timeline?.goesOn === false) this.#timeline.begin("NEW_RESOURCE_AVAILABLE", this.#requirements);
      },
      givenUp: () => this.#endRescale("NO_RESOURCES_OR_PARALLELISMS_CHANGE"),
      stabilized: () => {
        this.#checkpointFailures = 0;
        if (config.get(ADAPTIVE_ACTIVE_CHECKPOINT)) host.takeCheckpoint();
      },
      transition: () => this.#rescale(),
    }, {
      cooldownMs: Math.max(0, this.#lastRescaleMs + config.get(ADAPTIVE_COOLDOWN) - clock.monotonicMs()),
      stabilizationMs: this.#orReactive(ADAPTIVE_EXECUTING_STABILIZATION),
      maxTriggerDelayMs: this.#maxTriggerDelayMs,
    });
    this.#executing = { manager, unwatch: slots.watch?.(() => manager.onChange()) };
    // What changed while it was deployed.
    manager.onChange();
  }

  /** The job is about to end behind a savepoint, which no rescale may come between: requirements and slots that change meanwhile have no effect. */
  stoppingBehindSavepoint(): void {
    this.#leave();
    this.#rescaling = false;
    this.#enter("StopWithSavepoint");
  }

  /** The savepoint failed, and the job runs on: what changed meanwhile has its effect. */
  goesOn(): void {
    if (this.#state === "StopWithSavepoint") this.executing();
  }

  /** The job no longer runs, or no longer wants to: nothing is decided until it asks for the next plan. */
  stopped(failure?: SerializedError): void {
    this.#leave();
    if (this.#state !== "Created") this.#enter("Restarting", failure);
  }

  /** It has failed, and will ask for the next plan. */
  failed(error: SerializedError): void {
    this.#timeline?.failedOver(this.#requirements);
    this.stopped(error);
  }

  /** The job stops; unless for a rescale, it will not ask again. */
  stoppedFor(outcome: Goal | { readonly kind: "finished" }): void {
    if (outcome.kind === "failed") this.#endRescale("JOB_FAILED", outcome.error);
    else if (outcome.kind !== "rescale") this.#endRescale(outcome.kind === "finished" ? "JOB_FINISHED" : "JOB_CANCELED");
    this.stopped();
  }

  checkpointCompleted(): void {
    this.#checkpointFailures = 0;
    this.#executing?.manager.onTrigger();
  }

  checkpointFailed(): void {
    const manager = this.#executing?.manager;
    if (manager?.phase === "stabilized" && ++this.#checkpointFailures >= this.#init.config.get(ADAPTIVE_MAX_CHECKPOINT_FAILURES)) manager.onTrigger();
    else if (manager?.phase === "stabilized" && this.#init.config.get(ADAPTIVE_ACTIVE_CHECKPOINT)) this.#init.host.takeCheckpoint();
  }

  get #available(): number {
    return this.#init.slots.availableSlots?.() ?? Number.POSITIVE_INFINITY;
  }

  get #hasDesired(): boolean {
    return this.#available >= slotsFor(this.#init.jobGraph, this.#requirements, "upperBound");
  }

  /** `undefined` without end. */
  get #waitTimeoutMs(): number | undefined {
    const { config } = this.#init;
    return this.#reactive && !config.has(ADAPTIVE_WAIT_TIMEOUT) ? undefined : config.get(ADAPTIVE_WAIT_TIMEOUT);
  }

  get #maxTriggerDelayMs(): number {
    const { config } = this.#init;
    const configured = config.get(ADAPTIVE_MAX_DELAY);
    if (configured !== undefined) return configured;
    if (config.get(ADAPTIVE_ACTIVE_CHECKPOINT)) return config.get(CHECKPOINTING_TIMEOUT);
    return (config.get(CHECKPOINTING_INTERVAL) ?? 0) * (1 + config.get(ADAPTIVE_MAX_CHECKPOINT_FAILURES));
  }

  #orReactive(option: typeof ADAPTIVE_EXECUTING_STABILIZATION): number {
    return this.#reactive && !this.#init.config.has(option) ? 0 : this.#init.config.get(option);
  }

  #wait(resolve: (plan: JobGraph) => void, reject: (error: MillraceError) => void): void {
    const { env: { clock, log }, jobGraph, slots } = this.#init;
    const timeoutMs = this.#waitTimeoutMs;
    const done = (): void => {
      const plan = this.#plan();
      this.#stopWaiting();
      if (plan === undefined) reject(this.#unavailable());
      else resolve(plan);
    };
    const manager = new StateTransitionManager(clock, {
      hasDesiredResources: () => this.#hasDesired,
      hasSufficientResources: () => this.#available >= slotsFor(jobGraph, this.#requirements, "lowerBound"),
      transition: done,
    }, { cooldownMs: 0, stabilizationMs: this.#orReactive(ADAPTIVE_SUBMISSION_STABILIZATION), maxTriggerDelayMs: 0 });
    this.#waiting = { manager, timer: timeoutMs === undefined ? undefined : clock.setTimer(timeoutMs, done), unwatch: slots.watch?.(() => manager.onChange()) };
    manager.onChange();
    if (manager.phase === "idling") log.write("warn", `the job waits for ${this.#missing}`);
    else if (manager.phase === "stabilizing") log.write("info", `the job waits a while for the slots that it would rather have: ${slotsFor(jobGraph, this.#requirements, "upperBound")}`);
  }

  #enter(state: AdaptiveState, failure?: SerializedError): void {
    if (this.#state === state) return;
    this.#timeline?.left(this.#state, this.#enteredMs, failure);
    this.#state = state;
    this.#enteredMs = this.#init.env.clock.nowMs();
  }

  #leave(): void {
    this.#executing?.manager.close();
    this.#executing?.unwatch?.();
    this.#executing = undefined;
    this.#stopWaiting();
  }

  /** The state that goes on belongs to it as far as it has come. */
  #endRescale(reason: RescaleEnd, error?: SerializedError): void {
    this.#timeline?.left(this.#state, this.#enteredMs, error);
    this.#timeline?.end(reason);
  }

  #stopWaiting(): void {
    this.#waiting?.manager.close();
    this.#waiting?.timer?.cancel();
    this.#waiting?.unwatch?.();
    this.#waiting = undefined;
  }

  /** The plan for what there is now; `undefined` when that is too little. */
  #plan(): JobGraph | undefined {
    const { jobGraph } = this.#init;
    const parallelism = slotParallelism(jobGraph, this.#requirements, this.#available);
    if (parallelism === undefined) return undefined;
    this.#planned = parallelism;
    this.#enter("CreatingExecutionGraph");
    this.#timeline?.planned(parallelism, this.#requirements);
    return withParallelism(jobGraph, parallelism);
  }

  #wouldChange(): boolean {
    const next = slotParallelism(this.#init.jobGraph, this.#requirements, this.#available);
    return next !== undefined && [...next].some(([id, parallelism]) => parallelism !== this.#planned.get(id));
  }

  #rescale(): void {
    const next = slotParallelism(this.#init.jobGraph, this.#requirements, this.#available)!;
    const changes = this.#init.jobGraph.vertices.filter(({ id }) => next.get(id) !== this.#planned.get(id)).map(({ id, name }) => `"${name}" from ${this.#planned.get(id)} to ${next.get(id)}`);
    this.#init.env.log.write("info", `rescaling ${changes.join(", ")}`);
    this.#rescaling = true;
    this.#rescales++;
    this.#init.host.rescale();
  }

  get #missing(): string {
    const least = slotsFor(this.#init.jobGraph, this.#requirements, "lowerBound");
    return this.#init.slots.missing?.(least) ?? `${least} slots`;
  }

  #unavailable(): MillraceError {
    return new MillraceError({
      code: "SLOTS_UNAVAILABLE", recovery: "fail",
      message: `the job got no slots within ${this.#init.config.get(ADAPTIVE_WAIT_TIMEOUT) / 1000} s: it needs ${this.#missing}`,
      hint: "start more TaskManagers, give them more slots (taskmanager.numberOfTaskSlots), or lower the least parallelism", location: { option: ADAPTIVE_WAIT_TIMEOUT.key },
    });
  }
}

/** The scheduler of a job whose configuration asks for it. Batch jobs have none, as in Flink. */
export function adaptiveScheduler(init: AdaptiveSchedulerInit): AdaptiveScheduler | undefined {
  const { config, jobGraph } = init;
  const wanted = config.get(SCHEDULER) === "adaptive" || config.get(SCHEDULER_MODE) === "reactive";
  return wanted && jobGraph.runtimeMode === "STREAMING" ? new AdaptiveScheduler(init) : undefined;
}
