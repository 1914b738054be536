import type { ExecutionState, JobEdge, JobGraph, JobVertex } from "@millrace/graph";
import type { ExecutionAttempt } from "@millrace/runtime";
import type { SerializedError } from "@millrace/core";

const terminal: ReadonlySet<ExecutionState> = new Set(["FINISHED", "CANCELED", "FAILED"]);
const rank: Readonly<Record<ExecutionState, number>> = {
  CREATED: 0, SCHEDULED: 1, DEPLOYING: 2, INITIALIZING: 3, RUNNING: 4, CANCELING: 5, FINISHED: 6, CANCELED: 6, FAILED: 6,
};

/** One attempt of one subtask as the JobMaster sees it. */
export class Execution {
  readonly attempt: ExecutionAttempt;
  readonly vertex: JobVertex;
  /** Among the slots of its region. */
  readonly slotIndex: number;
  readonly #nowMs: () => number;
  state: ExecutionState = "CREATED";
  /** When each state was entered, by wall clock. */
  readonly timestamps: Partial<Record<ExecutionState, number>>;
  error: SerializedError | undefined;
  /** The task ended its input and waits for a checkpoint to commit what it holds. */
  awaitsFinalCheckpoint = false;
  /** The task ended its input, holds nothing, and finishes as soon as tasks before it that wait for one have. */
  hasEnded = false;

  constructor(vertex: JobVertex, attempt: ExecutionAttempt, slotIndex: number, nowMs: () => number) {
    this.vertex = vertex;
    this.attempt = attempt;
    this.slotIndex = slotIndex;
    this.#nowMs = nowMs;
    this.timestamps = { CREATED: nowMs() };
  }

  get isTerminal(): boolean {
    return terminal.has(this.state);
  }

  /** Takes a reported state. False when it is stale (states only move forward) and must have no effect. */
  transitionTo(state: ExecutionState): boolean {
    if (this.isTerminal || rank[state] <= rank[this.state]) return false;
    this.state = state;
    this.timestamps[state] = this.#nowMs();
    return true;
  }

  /** `name (i/n)`, counted from one, as Flink writes it. */
  get taskName(): string {
    return `${this.vertex.name} (${this.attempt.subtaskIndex + 1}/${this.vertex.parallelism})`;
  }
}

/** The current attempt of every subtask of a job. The attempts of a region are replaced together, at each of its deployments. */
export class ExecutionGraph {
  readonly jobGraph: JobGraph;
  readonly #byVertex: Map<string, Execution[]>;
  readonly #nowMs: () => number;
  readonly #inEdges: ReadonlyMap<string, readonly JobEdge[]>;

  constructor(jobGraph: JobGraph, attemptNumber: number, slotOfSubtask: Readonly<Record<string, readonly number[]>>, nowMs: () => number = () => 0) {
    this.jobGraph = jobGraph;
    this.#nowMs = nowMs;
    this.#byVertex = new Map(jobGraph.vertices.map((vertex) => [
      vertex.id,
      Array.from({ length: vertex.parallelism }, (_, subtaskIndex) =>
        new Execution(vertex, { vertexId: vertex.id, subtaskIndex, attemptNumber }, slotOfSubtask[vertex.id]![subtaskIndex]!, nowMs)),
    ]));
    this.#inEdges = new Map(jobGraph.vertices.map((vertex) => [vertex.id, jobGraph.edges.filter((edge) => edge.targetVertexId === vertex.id)]));
  }

  /** Puts the next attempt in place of each one of these vertices. */
  nextAttempts(vertices: readonly JobVertex[]): void {
    for (const { id } of vertices) {
      this.#byVertex.set(id, this.ofVertex(id).map(({ vertex, attempt, slotIndex }) =>
        new Execution(vertex, { ...attempt, attemptNumber: attempt.attemptNumber + 1 }, slotIndex, this.#nowMs)));
    }
  }

  /** The executions of these vertices, vertex by vertex. */
  of(vertices: readonly JobVertex[]): readonly Execution[] {
    return vertices.flatMap(({ id }) => this.ofVertex(id));
  }

  /** All executions, vertex by vertex. */
  *all(): IterableIterator<Execution> {
    for (const executions of this.#byVertex.values()) yield* executions;
  }

  ofVertex(vertexId: string): readonly Execution[] {
    return this.#byVertex.get(vertexId) ?? [];
  }

  /** The execution of an attempt, or `undefined` when the attempt is not the current one. */
  find(attempt: ExecutionAttempt): Execution | undefined {
    const execution = this.#byVertex.get(attempt.vertexId)?.[attempt.subtaskIndex];
    return execution?.attempt.attemptNumber === attempt.attemptNumber ? execution : undefined;
  }

  every(predicate: (execution: Execution) => boolean): boolean {
    for (const execution of this.all()) if (!predicate(execution)) return false;
    return true;
  }

  /** The subtasks that send records to this one. */
  *upstream(execution: Execution): IterableIterator<Execution> {
    for (const edge of this.#inEdges.get(execution.attempt.vertexId) ?? []) {
      const sources = this.ofVertex(edge.sourceVertexId);
      for (const source of sources) {
        if (feeds(edge, source.attempt.subtaskIndex, sources.length, execution.attempt.subtaskIndex, execution.vertex.parallelism)) yield source;
      }
    }
  }
}

/** Whether a subtask of an edge's source sends to a subtask of its target. */
function feeds(edge: JobEdge, source: number, sources: number, target: number, targets: number): boolean {
  if (edge.partitioner === "forward") return source === target;
  if (edge.partitioner !== "rescale") return true;
  // Flink's pointwise distribution: the narrower side's subtask owns a contiguous range of the wider side's.
  if (sources <= targets) return source === Math.floor((target * sources) / targets);
  return Math.floor((source * targets) / sources) === target;
}
