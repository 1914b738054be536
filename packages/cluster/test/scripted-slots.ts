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
  readonly requests = new Map<number, SlotRequest>();
  readonly #tasks = new Map<string, { readonly attempt: ExecutionAttempt; readonly epoch: number; readonly slot: number; state: ExecutionState }>();

  constructor(clock: Clock, oneSlot = false) {
    this.#clock = clock;
    this.oneSlot = oneSlot;
  }

  async allocate(request: SlotRequest): Promise<AllocatedSlots> {
    this.allocations++;
    if (this.failAllocation !== undefined) throw this.failAllocation;
    this.request = request;
    this.epoch = request.epoch;
    this.requests.set(request.epoch, request);
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
    const request = ("epoch" in event ? this.requests.get(event.epoch) : undefined) ?? this.request;
    this.#clock.yieldThen(() => request.onEvent(slot, event));
  }

  setState(vertexId: string, subtaskIndex: number, state: ExecutionState, error?: SerializedError): void {
    const task = this.#tasks.get(`${vertexId}:${subtaskIndex}`)!;
    task.state = state;
    this.emit({ type: "taskState", epoch: task.epoch, attempt: task.attempt, state, ...(error === undefined ? {} : { error }) }, task.slot);
  }

  fail(vertexId: string, subtaskIndex: number, message = "boom"): void {
    this.setState(vertexId, subtaskIndex, "FAILED", { name: "Error", message });
  }

  attempt(vertexId: string, subtaskIndex: number): ExecutionAttempt {
    return this.#tasks.get(`${vertexId}:${subtaskIndex}`)!.attempt;
  }

  /** The epoch of a task's current attempt. */
  epochOf(vertexId: string): number {
    return this.#tasks.get(`${vertexId}:0`)!.epoch;
  }

  acknowledge(checkpointId: number, attempt: ExecutionAttempt, state: TaskStateSnapshot = { operators: {}, stateBytes: 1, writtenBytes: 1 }, epoch = this.epoch): void {
    const metrics = { alignmentDurationMs: 0, syncDurationMs: 0, asyncDurationMs: 0, startDelayMs: 0, unaligned: false, persistedBytes: 0, processedBytes: 0 };
    this.emit({ type: "acknowledgeCheckpoint", epoch, checkpointId, attempt, state, metrics });
  }

  #respond(command: SlotCommand, slot: number): void {
    switch (command.type) {
      case "deploy":
        for (const { attempt } of command.tasks) {
          this.#tasks.set(`${attempt.vertexId}:${attempt.subtaskIndex}`, { attempt, epoch: command.epoch, slot, state: "DEPLOYING" });
          this.setState(attempt.vertexId, attempt.subtaskIndex, "INITIALIZING");
        }
        return;
      case "run":
        return this.#move(command.epoch, slot, "RUNNING");
      case "cancel":
        return this.#move(command.epoch, slot, "CANCELED");
      case "snapshotCoordinator":
        return this.emit({ type: "coordinatorSnapshot", epoch: command.epoch, operatorId: command.operatorId, checkpointId: command.checkpointId, state: new Uint8Array([7]) });
      case "triggerCheckpoint":
        // One slot's trigger stands for the barrier's way through its whole region.
        for (const task of this.#tasks.values()) {
          if (task.state === "RUNNING" && task.epoch === command.epoch) this.acknowledge(command.checkpointId, task.attempt, undefined, command.epoch);
        }
        return;
      default:
    }
  }

  #move(epoch: number, slot: number, state: ExecutionState): void {
    for (const [key, task] of this.#tasks) {
      if (task.epoch !== epoch || task.slot !== slot || ["FINISHED", "FAILED", "CANCELED"].includes(task.state)) continue;
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

/** Two pipelines that exchange nothing: a(2) → b(2), and c(2) → d(2). */
export function twoPipelines(config: Record<string, unknown> = {}): JobGraph {
  const { vertices, edges, ...job } = twoVertexGraph(config);
  const rename = (from: string, to: string, nodeId: number) => {
    const vertex = vertices.find(({ id }) => id === from)!;
    return { ...vertex, id: to, name: to, operators: vertex.operators.map((operator) => ({ ...operator, id: `${to}-op`, name: to, nodeId })) };
  };
  const edge = (source: string, target: string, targetNodeId: number) => ({ ...edges[0]!, id: `${source}-${target}`, sourceVertexId: source, sourceOperatorId: `${source}-op`, targetVertexId: target, targetNodeId });
  return {
    ...job, vertices: [rename("source", "a", 1), rename("map", "b", 2), rename("source", "c", 3), rename("map", "d", 4)],
    edges: [edge("a", "b", 2), edge("c", "d", 4)],
  };
}
