import {
  allOptions, BUFFER_DEBLOAT_ENABLED, CHANNEL_CREDITS, Configuration, isMillraceError, MillraceError, serializeError, TASK_CANCELLATION_TIMEOUT, type Cancellable, type Env, type MessagePortLike,
} from "@millrace/core";
import type { StreamGraph } from "@millrace/graph";
import { Barrier } from "../exchange/channel-element.js";
import type { SlotJob } from "../protocol/deployment.js";
import type { SlotCommand, SlotEvent } from "../protocol/messages.js";
import { CoordinatorHost } from "../source/coordinator-host.js";
import type { Task } from "../task/task.js";
import { SlotChannels, type NetworkUsage } from "./slot-channels.js";
import { SlotLoop } from "./slot-loop.js";
import { TaskBuilder } from "./task-builder.js";

/** What a slot executor is made with. */
export interface SlotExecutorOptions {
  readonly env: Env;
  /** Takes what the slot tells the JobMaster. */
  readonly send: (event: SlotEvent, transfer?: ArrayBuffer[]) => void;
  /** Captures the job's graph in this isolate, with its functions. */
  readonly loadGraph: (job: SlotJob) => Promise<StreamGraph> | StreamGraph;
  /** Turns what came with a `connect` command into a port; by default it is one already. */
  readonly portFor?: (raw: unknown) => MessagePortLike;
  /** Sends batches between tasks of this slot through the exchange codec, too, as if they ran in different threads. For tests. */
  readonly roundTripLocalEdges?: boolean;
  /** Refuses every record that could not leave the slot; otherwise samples of them. For jobs all of whose records stay in one thread. */
  readonly checkEveryRecord?: boolean;
}

const METRICS_INTERVAL_MS = 1000;
/** The first report comes early, for whoever watches the job start. */
const FIRST_METRICS_MS = 200;

/** Everything of one epoch of the job. */
interface Deployment {
  readonly epoch: number;
  readonly config: Configuration;
  readonly channels: SlotChannels;
  readonly coordinators: CoordinatorHost;
  readonly tasks: Task[];
  builder: TaskBuilder | undefined;
  /** Commands that wait for the graph. */
  readonly waiting: SlotCommand[];
}

/**
 * Runs the tasks of one job in this thread: one per worker thread, or one for all subtasks when the job runs in the caller's thread.
 *
 * `handle` may be called at any time, also from within `send`: commands take effect between turns of tasks, in order.
 * A new epoch starts once the tasks of the one before have closed.
 */
export class SlotExecutor {
  readonly #options: SlotExecutorOptions;
  readonly #loop: SlotLoop;
  readonly #commands: SlotCommand[] = [];
  #current: Deployment | undefined;
  #metricsTimer: Cancellable | undefined;

  constructor(options: SlotExecutorOptions) {
    this.#options = options;
    this.#loop = new SlotLoop(options.env.clock, {
      receive: () => {
        this.#runCommands();
        this.#current?.channels.drain();
      },
      flush: () => this.#current?.channels.flush(),
    });
  }

  /** `undefined` while no job is deployed. */
  get networkUsage(): NetworkUsage | undefined {
    return this.#current?.channels.usage();
  }

  handle(command: SlotCommand): void {
    this.#commands.push(command);
    this.#loop.poke();
  }

  #runCommands(): void {
    while (this.#commands.length > 0) {
      const command = this.#commands[0]!;
      if (command.type === "start" && this.#current?.tasks.some((task) => !task.over) === true) {
        // The epoch is over for the JobMaster; its tasks still close what they have open.
        for (const task of this.#current.tasks) task.cancel();
        return;
      }
      this.#commands.shift();
      try {
        this.#run(command);
      } catch (error) {
        this.#slotFailed(error);
      }
    }
  }

  #run(command: SlotCommand): void {
    if (command.type === "start") {
      this.#start(command.epoch, command.job);
      return;
    }
    const current = this.#current;
    if (current === undefined || command.epoch !== current.epoch) return;
    if (current.builder === undefined) current.waiting.push(command);
    else this.#apply(current, command);
  }

  #apply(current: Deployment, command: Exclude<SlotCommand, { type: "start" }>): void {
    const { tasks, coordinators } = current;
    switch (command.type) {
      case "connect":
        return current.channels.connect(command.peerSlot, this.#options.portFor?.(command.port) ?? (command.port as MessagePortLike));
      case "deploy":
        for (const deployment of command.tasks) tasks.push(current.builder!.build(deployment, this.#setting(current)));
        return this.#scheduleMetrics();
      case "run":
        for (const task of tasks) task.run();
        return;
      case "triggerCheckpoint":
        for (const { vertexId, subtaskIndex } of command.tasks) {
          tasks.find(({ deployment: { attempt } }) => attempt.vertexId === vertexId && attempt.subtaskIndex === subtaskIndex)
            ?.triggerCheckpoint(new Barrier(command.checkpointId, command.timestampMs, command.options));
        }
        return;
      case "checkpointComplete":
        for (const task of tasks) task.checkpointComplete(command.checkpointId);
        return coordinators.checkpointComplete(command.checkpointId);
      case "checkpointAborted":
        for (const task of tasks) task.checkpointAborted(command.checkpointId);
        return;
      case "resultsTaken":
        return current.builder!.resultsTaken(command.attempt, command.bytes);
      case "cancel":
        for (const task of tasks) task.cancel();
        return coordinators.close();
      case "operatorEvent":
        for (const task of tasks) {
          if (task.deployment.attempt.subtaskIndex === command.subtaskIndex && task.hasOperator(command.operatorId)) task.operatorEvent(command.operatorId, command.event);
        }
        return;
      case "startCoordinator":
        return coordinators.start(command.operatorId, command.nodeId, command.parallelism, command.restored);
      case "coordinatorEvent":
        return coordinators.event(command.operatorId, command.subtaskIndex, command.event);
      case "snapshotCoordinator":
        return coordinators.snapshot(command.operatorId, command.checkpointId);
    }
  }

  #start(epoch: number, job: SlotJob): void {
    const { env, send, loadGraph, roundTripLocalEdges = false, checkEveryRecord = false } = this.#options;
    this.#current?.channels.close();
    this.#current?.coordinators.close();
    const config = Configuration.of(job.jobGraph.config, allOptions);
    const current: Deployment = {
      epoch,
      config,
      channels: new SlotChannels(config.get(CHANNEL_CREDITS), { roundTrip: roundTripLocalEdges, checkEveryRecord, debloated: config.get(BUFFER_DEBLOAT_ENABLED) }, () => this.#loop.poke()),
      coordinators: new CoordinatorHost(env, config, epoch, send),
      tasks: [],
      builder: undefined,
      waiting: [],
    };
    this.#current = current;
    const loaded = (graph: StreamGraph): void => {
      if (this.#current !== current) return;
      current.coordinators.graph = graph;
      current.builder = new TaskBuilder(job, graph, config, current.channels);
      this.#commands.unshift(...current.waiting.splice(0));
      this.#loop.poke();
    };
    try {
      const graph = loadGraph(job);
      if (graph instanceof Promise) graph.then(loaded).catch((error: unknown) => this.#slotFailed(error));
      else loaded(graph);
    } catch (error) {
      this.#slotFailed(error);
    }
  }

  #setting(current: Deployment): Parameters<TaskBuilder["build"]>[1] {
    const { env, send } = this.#options;
    return {
      env,
      epoch: current.epoch,
      cancellationTimeoutMs: current.config.get(TASK_CANCELLATION_TIMEOUT),
      wake: (task) => this.#loop.wake(task),
      flushWhenIdle: (task) => this.#loop.flushWhenIdle(task),
      send,
      log: (level, line) => {
        send({ type: "log", level, line });
      },
      ended: () => this.#loop.poke(),
    };
  }

  #scheduleMetrics(delayMs: number = FIRST_METRICS_MS): void {
    if (this.#metricsTimer !== undefined) return;
    this.#metricsTimer = this.#options.env.clock.setTimer(delayMs, () => {
      this.#metricsTimer = undefined;
      const running = this.#current?.tasks.filter((task) => !task.over) ?? [];
      for (const task of running) task.reportMetrics();
      if (running.length > 0) this.#scheduleMetrics(Math.min(2 * delayMs, METRICS_INTERVAL_MS));
    });
  }

  #slotFailed(error: unknown): void {
    const failure = isMillraceError(error) ? error : new MillraceError({ code: "SLOT_FAILED", message: String((error as Error)?.message ?? error), recovery: "restart", cause: error });
    this.#options.send({ type: "slotFailed", error: serializeError(failure) });
  }
}
