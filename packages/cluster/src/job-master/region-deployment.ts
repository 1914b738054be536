import { serializeError } from "@millrace/core";
import type { Cancellable, Env, SerializedError } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import type { SlotCommand, SlotEvent, TaskDeployment } from "@millrace/runtime";
import type { CompletedCheckpoint } from "../checkpoint/completed-checkpoint-store.js";
import { restoreCoordinator, restoreTask } from "../checkpoint/restore.js";
import type { FailoverRegion } from "../scheduler/failover-regions.js";
import type { RegionSlots } from "../scheduler/slot-assignment.js";
import type { AllocatedSlots, SlotProvider } from "../scheduler/slot-provider.js";
import type { Execution } from "./execution-graph.js";
import type { TaskLocation } from "./job-view.js";
import { SourceCoordinators } from "./source-coordinators.js";
import type { WatermarkAlignment } from "./watermark-alignment.js";

/** What a deployment needs of its JobMaster. Nothing is called any more once it has stopped. */
export interface DeploymentLinks {
  onEvent(slotIndex: number, event: SlotEvent): void;
  /** The slots cannot be had. */
  onNoSlots(error: SerializedError): void;
  /** Every task is there, and was told to run. */
  onRunning(): void;
  /** Whether what this source coordinator sends must wait for the sources to be triggered. */
  holds(operatorId: string): boolean;
  /** What the tasks start from, asked for when the slots are there. */
  checkpoint(): CompletedCheckpoint | undefined;
}

export interface DeploymentInit {
  readonly env: Pick<Env, "clock" | "log">;
  readonly jobGraph: JobGraph;
  readonly region: FailoverRegion;
  readonly epoch: number;
  readonly slots: SlotProvider;
  readonly assignment: RegionSlots;
  readonly numberOfJobSlots: number;
  readonly executions: readonly Execution[];
  readonly alignment: WatermarkAlignment;
  readonly checkpointDirectory: string;
  readonly temporaryDirectory: string;
  readonly cancellationTimeoutMs: number;
  readonly links: DeploymentLinks;
}

/**
 * One region of a job, deployed once: an epoch. It gets slots, fresh ones, starts the tasks in them when all are there, and stops them.
 *
 * Goes one way: deployed, running, stopped; the next attempt is another object. Events of other epochs have no effect.
 */
export class RegionDeployment {
  readonly region: FailoverRegion;
  readonly epoch: number;
  readonly sources: SourceCoordinators;
  readonly #init: DeploymentInit;
  #allocation: Promise<void> | undefined;
  #slots: AllocatedSlots | undefined;
  #locations: readonly TaskLocation[] | undefined;
  #running = false;
  #stopped: Promise<void> | undefined;
  #allTerminal: (() => void) | undefined;

  constructor(init: DeploymentInit) {
    const { region, epoch, assignment, links } = init;
    this.#init = init;
    this.region = region;
    this.epoch = epoch;
    this.sources = new SourceCoordinators(epoch, region.vertices, init.alignment, {
      send: (slotIndex, command) => this.send(slotIndex, command),
      slotOf: (vertexId, subtask) => assignment.slotOfSubtask[vertexId]![subtask]!,
      holds: (operatorId) => links.holds(operatorId),
    });
  }

  /** Whether its end has been decided on. */
  get stopping(): boolean {
    return this.#stopped !== undefined;
  }

  /** Every task was told to run, and none has been told to stop. */
  get running(): boolean {
    return this.#running && !this.stopping;
  }

  /** Call once. */
  deploy(): void {
    const { epoch, jobGraph, slots, assignment, numberOfJobSlots, links, executions } = this.#init;
    const onEvent = (slotIndex: number, event: SlotEvent): void => {
      if (!("epoch" in event) || event.epoch === epoch) links.onEvent(slotIndex, event);
    };
    const { numberOfSlots, jobSlots } = assignment;
    this.#allocation = slots.allocate({ epoch, numberOfSlots, jobSlots, numberOfJobSlots, jobGraph, onEvent }).then(
      (allocated) => {
        this.#slots = allocated;
        this.#locations = allocated.locations;
        if (!this.stopping) this.#deployTasks(allocated);
      },
      (error: unknown) => {
        for (const execution of executions) execution.transitionTo("CANCELED");
        if (!this.stopping) links.onNoSlots(serializeError(error));
      },
    );
  }

  /** Tells the tasks to run as soon as all of them are there. */
  runOnceDeployed(): void {
    if (this.#running || this.stopping) return;
    if (!this.#init.executions.every(({ state }) => state === "INITIALIZING" || state === "RUNNING" || state === "FINISHED")) return;
    this.#running = true;
    this.sendAll({ type: "run", epoch: this.epoch });
    this.#init.links.onRunning();
  }

  /** A task reached its end. */
  taskEnded(): void {
    if (this.#init.executions.every((execution) => execution.isTerminal)) this.#allTerminal?.();
  }

  /** Cancels what runs; resolves when nothing of it runs any more and the slots are given back. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Lets go of what runs without telling it: from now on somebody else decides over it. */
  abandon(): void {
    this.#stopped ??= Promise.resolve();
    this.sources.close();
  }

  /** Gives the slots back of a region whose tasks have all ended. */
  release(): Promise<void> {
    this.#stopped ??= this.#release();
    return this.#stopped;
  }

  send(slotIndex: number, command: SlotCommand): void {
    this.#slots?.send(slotIndex, command);
  }

  sendAll(command: SlotCommand): void {
    for (let slotIndex = 0; slotIndex < this.#init.assignment.numberOfSlots; slotIndex++) this.send(slotIndex, command);
  }

  /** Where the tasks of a slot are or were, once that is known. */
  locationOf(slotIndex: number): TaskLocation | undefined {
    return this.#locations?.[slotIndex];
  }

  #deployTasks(slots: AllocatedSlots): void {
    const { jobGraph, assignment: { numberOfSlots, slotOfSubtask }, executions, checkpointDirectory, temporaryDirectory, links } = this.#init;
    const { epoch } = this;
    for (let slotIndex = 0; slotIndex < numberOfSlots; slotIndex++) {
      slots.send(slotIndex, { type: "start", epoch, job: { jobGraph, slotIndex, numberOfSlots, checkpointDirectory, temporaryDirectory, tellsResultsTaken: true } });
    }
    slots.connectAll();
    const checkpoint = links.checkpoint();
    this.sources.start((operatorId) => (checkpoint === undefined ? undefined : restoreCoordinator(checkpoint, operatorId)));
    const tasks: TaskDeployment[][] = Array.from({ length: numberOfSlots }, () => []);
    for (const execution of executions) {
      const restore = checkpoint === undefined ? undefined : restoreTask(checkpoint, jobGraph, execution.vertex, execution.attempt.subtaskIndex);
      tasks[execution.slotIndex]!.push({ attempt: execution.attempt, restore, slotOfSubtask });
      execution.transitionTo("DEPLOYING");
    }
    tasks.forEach((ofSlot, slotIndex) => slots.send(slotIndex, { type: "deploy", epoch, tasks: ofSlot }));
  }

  async #stop(): Promise<void> {
    const { env, slots, executions, cancellationTimeoutMs } = this.#init;
    for (const execution of executions) execution.transitionTo(execution.state === "CREATED" ? "CANCELED" : "CANCELING");
    if (this.#slots === undefined) {
      // Slots that come all the same are given back.
      slots.abandon?.();
      await this.#allocation;
    } else {
      this.sendAll({ type: "cancel", epoch: this.epoch });
      await new Promise<void>((resolve) => {
        const timer: Cancellable = env.clock.setTimer(cancellationTimeoutMs, resolve);
        this.#allTerminal = () => {
          timer.cancel();
          resolve();
        };
        this.taskEnded();
      });
    }
    await this.#release();
  }

  async #release(): Promise<void> {
    const { env } = this.#init;
    this.sources.close();
    const slots = this.#slots;
    this.#slots = undefined;
    try {
      await slots?.release();
    } catch (error) {
      env.log.write("warn", `cannot release the slots: ${(error as Error).message}`);
    }
  }
}
