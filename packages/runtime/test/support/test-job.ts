import { BatchDecoder, deserializeError, type Env, type MessagePortLike } from "@millrace/core";
import type { ExecutionState, JobGraph, StreamGraph } from "@millrace/graph";
import { assignKeyedState, redistributeOperatorState, type KeyedStateHandle, type OperatorStateHandle } from "@millrace/state";
import { SlotExecutor, type SlotExecutorOptions } from "../../src/slot/slot-executor.js";
import type { CheckpointOptions, SlotCommand, SlotEvent, TaskRestore, TaskStateSnapshot } from "../../src/index.js";
import { MemoryFiles } from "./memory-files.js";
import { TestClock } from "./test-clock.js";

/** What a finished checkpoint of a {@link TestJob} holds. */
export interface TestCheckpoint {
  readonly id: number;
  readonly tasks: ReadonlyMap<string, TaskStateSnapshot>;
  readonly coordinators: ReadonlyMap<string, Uint8Array>;
  /** Vertices whose tasks had all finished before. */
  readonly finished?: ReadonlySet<string>;
}

export interface TestJobOptions {
  readonly graph: StreamGraph;
  readonly jobGraph: JobGraph;
  readonly slots?: number;
  readonly clock?: TestClock;
  readonly files?: MemoryFiles;
  readonly seed?: number;
  readonly executor?: Partial<SlotExecutorOptions>;
}

/** A small JobMaster over slots that share one thread and a virtual clock. */
export class TestJob {
  readonly clock: TestClock;
  readonly files: MemoryFiles;
  readonly executors: SlotExecutor[];
  readonly states: Map<string, ExecutionState> = new Map();
  readonly events: SlotEvent[] = [];
  readonly collected: Map<string, unknown[]> = new Map();
  readonly acknowledged: Map<number, Map<string, TaskStateSnapshot>> = new Map();
  readonly coordinatorSnapshots: Map<number, Map<string, Uint8Array>> = new Map();
  error: Error | undefined;
  readonly #options: TestJobOptions;
  #epoch = 0;
  #attempt = 0;

  constructor(options: TestJobOptions) {
    this.#options = options;
    this.clock = options.clock ?? new TestClock();
    this.files = options.files ?? new MemoryFiles();
    this.executors = Array.from({ length: options.slots ?? 1 }, () => this.#executor());
  }

  get jobGraph(): JobGraph {
    return this.#options.jobGraph;
  }

  get ids(): string[] {
    return this.#options.jobGraph.vertices.flatMap((vertex) => Array.from({ length: vertex.parallelism }, (_, i) => `${vertex.id}/${i}`));
  }

  start(restore?: TestCheckpoint): void {
    const { jobGraph } = this.#options;
    const epoch = ++this.#epoch;
    const attemptNumber = this.#attempt++;
    this.error = undefined;
    this.states.clear();
    const slots = this.executors.length;
    const slotOfSubtask = Object.fromEntries(jobGraph.vertices.map((vertex) => [vertex.id, Array.from({ length: vertex.parallelism }, (_, i) => i % slots)]));
    this.executors.forEach((executor, slotIndex) =>
      executor.handle({ type: "start", epoch, job: { jobGraph, slotIndex, numberOfSlots: slots, checkpointDirectory: "/checkpoints", temporaryDirectory: "/tmp/job" } }));
    for (let a = 0; a < slots; a++) {
      for (let b = a + 1; b < slots; b++) {
        const [left, right] = portPair(this.clock);
        this.executors[a]!.handle({ type: "connect", epoch, peerSlot: b, port: left });
        this.executors[b]!.handle({ type: "connect", epoch, peerSlot: a, port: right });
      }
    }
    for (const { operator } of this.#sources()) {
      this.executors[0]!.handle({
        type: "startCoordinator", epoch, operatorId: operator.id, nodeId: operator.nodeId, parallelism: this.#parallelismOf(operator.id),
        restored: restore?.coordinators.get(operator.id),
      });
    }
    this.executors.forEach((executor, slotIndex) => {
      const tasks = jobGraph.vertices.flatMap((vertex) =>
        Array.from({ length: vertex.parallelism }, (_, subtaskIndex) => ({
          attempt: { vertexId: vertex.id, subtaskIndex, attemptNumber },
          restore: restore === undefined ? undefined : this.#restore(restore, vertex.id, subtaskIndex),
          slotOfSubtask,
        })).filter(({ attempt }) => attempt.subtaskIndex % slots === slotIndex));
      executor.handle({ type: "deploy", epoch, tasks });
    });
    this.#all({ type: "run", epoch });
  }

  /** Runs to the end; throws the first failure. */
  async finish(): Promise<void> {
    await this.clock.runUntil(() => this.error !== undefined || this.allIn("FINISHED"));
    if (this.error !== undefined) throw this.error;
  }

  allIn(...states: ExecutionState[]): boolean {
    return this.ids.every((id) => states.includes(this.states.get(id)!));
  }

  async cancel(): Promise<void> {
    this.#all({ type: "cancel", epoch: this.#epoch });
    await this.clock.runUntil(() => this.allIn("CANCELED", "FINISHED", "FAILED"));
  }

  trigger(checkpointId: number, options: CheckpointOptions = {}): void {
    const running = this.#options.jobGraph.vertices.flatMap((vertex) => Array.from({ length: vertex.parallelism }, (_, subtaskIndex) => ({ vertexId: vertex.id, subtaskIndex, attemptNumber: this.#attempt - 1 })))
      .filter((attempt) => this.#upstreamFinished(attempt.vertexId) && this.states.get(`${attempt.vertexId}/${attempt.subtaskIndex}`) !== "FINISHED");
    for (const { operator } of this.#sources()) this.executors[0]!.handle({ type: "snapshotCoordinator", epoch: this.#epoch, operatorId: operator.id, checkpointId });
    this.#all({ type: "triggerCheckpoint", epoch: this.#epoch, checkpointId, timestampMs: this.clock.nowMs(), tasks: running, options });
  }

  /** As `tryCheckpoint`, where it cannot fail. */
  async checkpoint(checkpointId: number, options: CheckpointOptions = {}): Promise<TestCheckpoint> {
    const taken = await this.tryCheckpoint(checkpointId, options);
    if (taken === undefined) throw new Error(`checkpoint ${checkpointId} was aborted`);
    return taken;
  }

  /** Takes a checkpoint and tells everybody that it is complete; aborts it when a task finishes without having taken part. */
  async tryCheckpoint(checkpointId: number, options: CheckpointOptions = {}): Promise<TestCheckpoint | undefined> {
    this.trigger(checkpointId, options);
    const expected = this.ids.filter((id) => this.states.get(id) !== "FINISHED");
    const left = (): boolean => expected.some((id) => this.states.get(id) === "FINISHED" && this.acknowledged.get(checkpointId)?.has(id) !== true);
    await this.clock.runUntil(() => this.error !== undefined || left() || this.#isAcknowledged(checkpointId, expected));
    if (this.error !== undefined) throw this.error;
    if (left()) {
      this.abort(checkpointId);
      return undefined;
    }
    this.complete(checkpointId);
    return { id: checkpointId, tasks: this.acknowledged.get(checkpointId)!, coordinators: this.coordinatorSnapshots.get(checkpointId) ?? new Map() };
  }

  complete(checkpointId: number): void {
    this.#all({ type: "checkpointComplete", epoch: this.#epoch, checkpointId });
  }

  abort(checkpointId: number): void {
    this.#all({ type: "checkpointAborted", epoch: this.#epoch, checkpointId });
  }

  #isAcknowledged(checkpointId: number, expected: readonly string[]): boolean {
    const coordinators = this.coordinatorSnapshots.get(checkpointId)?.size ?? 0;
    return expected.every((id) => this.acknowledged.get(checkpointId)?.has(id)) && coordinators === this.#sources().length;
  }

  #executor(): SlotExecutor {
    let state = (this.#options.seed ?? 1) >>> 0;
    const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const env: Env = { clock: this.clock, rng: { next }, fs: this.files, net: undefined as never, outside: undefined as never, log: { write: () => undefined } };
    return new SlotExecutor({ env, send: (event) => this.#event(event), loadGraph: () => this.#options.graph, ...this.#options.executor });
  }

  #event(event: SlotEvent): void {
    if ("epoch" in event && event.epoch !== this.#epoch) return;
    this.events.push(event);
    switch (event.type) {
      case "taskState":
        this.states.set(`${event.attempt.vertexId}/${event.attempt.subtaskIndex}`, event.state);
        if (event.error !== undefined) this.error ??= deserializeError(event.error);
        return;
      case "slotFailed":
      case "coordinatorFailed":
        this.error ??= deserializeError(event.error);
        return;
      case "coordinatorEvent":
        return this.executors[0]!.handle(event);
      case "operatorEvent":
        return this.#all(event);
      case "acknowledgeCheckpoint":
        return mapIn(this.acknowledged, event.checkpointId).set(`${event.attempt.vertexId}/${event.attempt.subtaskIndex}`, event.state) as never;
      case "coordinatorSnapshot":
        return mapIn(this.coordinatorSnapshots, event.checkpointId).set(event.operatorId, event.state) as never;
      case "collected": {
        const values = new BatchDecoder().decode(event.batch).values;
        const list = this.collected.get(event.collectId) ?? [];
        this.collected.set(event.collectId, list);
        list.push(...values);
      }
    }
  }

  #all(command: SlotCommand): void {
    for (const executor of this.executors) executor.handle(command);
  }

  #sources() {
    return this.#options.jobGraph.vertices.flatMap((vertex) => vertex.operators.filter(({ type }) => type === "source").map((operator) => ({ operator, vertex })));
  }

  #parallelismOf(operatorId: string): number {
    return this.#options.jobGraph.vertices.find((vertex) => vertex.operators.some(({ id }) => id === operatorId))!.parallelism;
  }

  #upstreamFinished(vertexId: string): boolean {
    return this.#options.jobGraph.edges.filter((edge) => edge.targetVertexId === vertexId).every((edge) =>
      this.ids.filter((id) => id.startsWith(`${edge.sourceVertexId}/`)).every((id) => this.states.get(id) === "FINISHED"));
  }

  #restore(checkpoint: TestCheckpoint, vertexId: string, subtaskIndex: number): TaskRestore {
    const vertex = this.#options.jobGraph.vertices.find(({ id }) => id === vertexId)!;
    const olds = [...checkpoint.tasks].filter(([id]) => id.startsWith(`${vertexId}/`)).sort(([a], [b]) => Number(a.split("/")[1]) - Number(b.split("/")[1]));
    const absolute = <H extends { readonly file: { readonly path: string } }>(handle: H): H =>
      ({ ...handle, file: { ...handle.file, path: `/checkpoints/chk-${checkpoint.id}/${handle.file.path}` } });
    const operators: Record<string, TaskRestore["operators"][string]> = {};
    for (const { id } of vertex.operators) {
      const keyed = olds.flatMap(([, task]) => (task.operators[id]?.keyed ?? []) as KeyedStateHandle[]).map(absolute);
      const handles = olds.map(([, task]) => (task.operators[id]?.operator as OperatorStateHandle[] | undefined)?.[0]).map((handle) => (handle === undefined ? undefined : absolute(handle)));
      const mine = redistributeOperatorState(handles, vertex.parallelism)[subtaskIndex]!;
      const operator = handles.flatMap((handle, index) => {
        const assignments = mine.filter((assignment) => assignment.handle === index);
        return handle === undefined || assignments.length === 0 ? [] : [{ handle, assignments }];
      });
      operators[id] = { keyed: assignKeyedState(keyed, vertex.maxParallelism, vertex.parallelism)[subtaskIndex]!, operator };
    }
    return { checkpointId: checkpoint.id, operators, ...(checkpoint.finished?.has(vertexId) === true ? { finished: true } : {}) };
  }
}

function mapIn<K, A, B>(maps: Map<K, Map<A, B>>, key: K): Map<A, B> {
  let map = maps.get(key);
  if (map === undefined) maps.set(key, (map = new Map()));
  return map;
}

/** Two connected ports on the clock: what is posted arrives in a later turn. */
export function portPair(clock: TestClock): [MessagePortLike, MessagePortLike] {
  const make = () => ({ queue: [] as unknown[], wake: undefined as (() => void) | undefined });
  const a = make();
  const b = make();
  const port = (own: ReturnType<typeof make>, other: ReturnType<typeof make>): MessagePortLike => ({
    post: (message, transfer) => {
      const copy = structuredClone(message, { transfer: [...(transfer ?? [])] });
      clock.yieldThen(() => {
        other.queue.push(copy);
        if (other.queue.length === 1) other.wake?.();
      });
    },
    receive: () => own.queue.shift(),
    get onWake() {
      return own.wake;
    },
    set onWake(wake) {
      own.wake = wake;
    },
    close: () => undefined,
  });
  return [port(a, b), port(b, a)];
}
