import type { Clock, SerializedError } from "@millrace/core";
import type { ExecutionState, JobGraph } from "@millrace/graph";
import type { ExecutionAttempt, SlotCommand, SlotEvent, TaskStateSnapshot } from "@millrace/runtime";
import type { AllocatedSlots, SlotProvider, SlotRequest } from "../src/index.js";

type CommandOf<T extends SlotCommand["type"], C extends SlotCommand = SlotCommand> = C extends { readonly type: infer U } ? (T extends U ? C : never) : never;

/** Slots that do what a well-behaved runtime does, unless a test overrides `intercept`; everything they were told is in `commands`. */
export class ScriptedSlots implements SlotProvider {
  readonly oneSlot: boolean;
  readonly commands: { readonly slot: number; readonly command: SlotCommand }[] = [];
  /** Returns true when the test has handled the command itself. */
  intercept: (command: SlotCommand, slot: number) => boolean = () => false;
  allocations = 0;
  releases = 0;
  failAllocation: Error | undefined;
  request!: SlotRequest;
  epoch = 0;
  readonly #clock: Clock;
  #tasks = new Map<string, { readonly attempt: ExecutionAttempt; readonly slot: number; state: ExecutionState }>();

  constructor(clock: Clock, oneSlot = false) {
    this.#clock = clock;
    this.oneSlot = oneSlot;
  }

  async allocate(request: SlotRequest): Promise<AllocatedSlots> {
    this.allocations++;
    if (this.failAllocation !== undefined) throw this.failAllocation;
    this.request = request;
    this.epoch = request.epoch;
    this.#tasks.clear();
    return {
      send: (slot, command) => {
        this.commands.push({ slot, command });
        if (!this.intercept(command, slot)) this.#respond(command, slot);
      },
      connectAll: () => undefined,
      release: async () => void this.releases++,
    };
  }

  ofType<T extends SlotCommand["type"]>(type: T): CommandOf<T>[] {
    return this.commands.filter(({ command }) => command.type === type).map(({ command }) => command as CommandOf<T>);
  }

  emit(event: SlotEvent, slot = 0): void {
    const { request } = this;
    this.#clock.yieldThen(() => request.onEvent(slot, event));
  }

  setState(vertexId: string, subtaskIndex: number, state: ExecutionState, error?: SerializedError): void {
    const task = this.#tasks.get(`${vertexId}:${subtaskIndex}`)!;
    task.state = state;
    this.emit({ type: "taskState", epoch: this.epoch, attempt: task.attempt, state, ...(error === undefined ? {} : { error }) }, task.slot);
  }

  fail(vertexId: string, subtaskIndex: number, message = "boom"): void {
    this.setState(vertexId, subtaskIndex, "FAILED", { name: "Error", message });
  }

  attempt(vertexId: string, subtaskIndex: number): ExecutionAttempt {
    return this.#tasks.get(`${vertexId}:${subtaskIndex}`)!.attempt;
  }

  acknowledge(checkpointId: number, attempt: ExecutionAttempt, state: TaskStateSnapshot = { operators: {}, stateBytes: 1, writtenBytes: 1 }, epoch = this.epoch): void {
    const metrics = { alignmentDurationMs: 0, syncDurationMs: 0, asyncDurationMs: 0, startDelayMs: 0, unaligned: false, persistedBytes: 0, processedBytes: 0 };
    this.emit({ type: "acknowledgeCheckpoint", epoch, checkpointId, attempt, state, metrics });
  }

  #respond(command: SlotCommand, slot: number): void {
    switch (command.type) {
      case "deploy":
        for (const { attempt } of command.tasks) {
          this.#tasks.set(`${attempt.vertexId}:${attempt.subtaskIndex}`, { attempt, slot, state: "DEPLOYING" });
          this.setState(attempt.vertexId, attempt.subtaskIndex, "INITIALIZING");
        }
        return;
      case "run":
        return this.#move(slot, "RUNNING");
      case "cancel":
        return this.#move(slot, "CANCELED");
      case "snapshotCoordinator":
        return this.emit({ type: "coordinatorSnapshot", epoch: command.epoch, operatorId: command.operatorId, checkpointId: command.checkpointId, state: new Uint8Array([7]) });
      case "triggerCheckpoint":
        // One slot's trigger stands for the barrier's way through the whole job.
        for (const task of this.#tasks.values()) if (task.state === "RUNNING") this.acknowledge(command.checkpointId, task.attempt);
        return;
      default:
    }
  }

  #move(slot: number, state: ExecutionState): void {
    for (const [key, task] of this.#tasks) {
      if (task.slot !== slot || ["FINISHED", "FAILED", "CANCELED"].includes(task.state)) continue;
      const [vertexId, subtask] = key.split(":");
      this.setState(vertexId!, Number(subtask), state);
    }
  }
}

/** source(2) → map(2), hash edge. */
export function twoVertexGraph(config: Record<string, unknown> = {}, parallelism = 2): JobGraph {
  const vertex = (id: string, type: string, nodeId: number) => ({
    id, name: id, parallelism, maxParallelism: 128, slotSharingGroup: "default", bufferTimeoutMs: 100,
    operators: [{ id: `${id}-op`, nodeId, uid: undefined, name: id, type, keyed: false, numberOfInputs: type === "source" ? 0 : 1 }],
  });
  return {
    jobId: "0".repeat(32), jobName: "test", vertices: [vertex("source", "source", 1), vertex("map", "map", 2)],
    edges: [{
      id: "e", sourceVertexId: "source", sourceOperatorId: "source-op", targetVertexId: "map", inputIndex: 0, partitioner: "hash",
      targetNodeId: 2, targetEdgeIndex: 0, exchange: "pipelined",
    }],
    runtimeMode: "STREAMING", config, parameters: {}, once: {}, cachedFiles: {}, fingerprint: "f",
  };
}
