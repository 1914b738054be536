import type { JobGraph, JobStatus } from "@millrace/graph";
import type { Execution, ExecutionGraph } from "./execution-graph.js";
import type { ExecutionView, TaskLocation, VertexView } from "./job-view.js";
import type { TaskReports } from "./task-reports.js";

const MAX_EARLIER_ATTEMPTS = 16;

/** When a job was in which state, and what its earlier attempts came to. */
export class JobHistory {
  readonly statusTimestamps: Partial<Record<JobStatus, number>>;
  readonly #nowMs: () => number;
  readonly #durations: Partial<Record<JobStatus, number>> = {};
  readonly #earlier = new Map<string, ExecutionView[]>();
  #current: { readonly status: JobStatus; readonly sinceMs: number };

  constructor(status: JobStatus, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.statusTimestamps = { [status]: nowMs() };
    this.#current = { status, sinceMs: nowMs() };
  }

  entered(status: JobStatus): void {
    const now = this.#nowMs();
    this.#durations[this.#current.status] = this.#spentInCurrent(now);
    this.#current = { status, sinceMs: now };
    this.statusTimestamps[status] = now;
  }

  get statusDurationsMs(): Partial<Record<JobStatus, number>> {
    return { ...this.#durations, [this.#current.status]: this.#spentInCurrent(this.#nowMs()) };
  }

  /** Keeps attempts that are about to be replaced. */
  archive(executions: Iterable<Execution>, reports: TaskReports, locate: (execution: Execution) => TaskLocation): void {
    for (const execution of executions) {
      const key = keyOf(execution.attempt.vertexId, execution.attempt.subtaskIndex);
      const attempts = [...(this.#earlier.get(key) ?? []), executionView(execution, reports, locate)];
      this.#earlier.set(key, attempts.slice(-MAX_EARLIER_ATTEMPTS));
    }
  }

  vertices(graph: ExecutionGraph, reports: TaskReports, locate: (execution: Execution) => TaskLocation): VertexView[] {
    return graph.jobGraph.vertices.map(({ id }) => ({
      vertexId: id,
      subtasks: graph.ofVertex(id).map((execution) => ({
        current: executionView(execution, reports, locate), earlier: this.#earlier.get(keyOf(id, execution.attempt.subtaskIndex)) ?? [],
      })),
    }));
  }

  #spentInCurrent(now: number): number {
    return (this.#durations[this.#current.status] ?? 0) + Math.max(0, now - this.#current.sinceMs);
  }
}

function executionView(execution: Execution, reports: TaskReports, locate: (execution: Execution) => TaskLocation): ExecutionView {
  const { attempt, state, timestamps } = execution;
  return {
    subtaskIndex: attempt.subtaskIndex, attemptNumber: attempt.attemptNumber, state, timestamps: { ...timestamps }, location: locate(execution),
    metrics: reports.metricsOf(attempt), accumulators: reports.accumulatorsOf(attempt),
  };
}

/** All subtasks as they are before the first deployment. */
export function undeployed(jobGraph: JobGraph, location: TaskLocation): VertexView[] {
  return jobGraph.vertices.map(({ id, parallelism }) => ({
    vertexId: id,
    subtasks: Array.from({ length: parallelism }, (_, subtaskIndex) => ({
      current: { subtaskIndex, attemptNumber: 0, state: "CREATED" as const, timestamps: {}, location, metrics: {}, accumulators: {} }, earlier: [],
    })),
  }));
}

function keyOf(vertexId: string, subtaskIndex: number): string {
  return `${vertexId}:${subtaskIndex}`;
}
