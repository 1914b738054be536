import { mergeAccumulatorValues } from "@millrace/core";
import type { AccumulatorValue } from "@millrace/core";
import type { JobGraph, VertexMetrics } from "@millrace/graph";
import type { ExecutionAttempt } from "@millrace/runtime";

/** The last metrics and accumulators that each subtask reported, merged on demand. Forgotten at each new deployment of it. */
export class TaskReports {
  readonly #metrics = new Map<string, Readonly<Record<string, number>>>();
  readonly #accumulators = new Map<string, Readonly<Record<string, AccumulatorValue>>>();

  clear(): void {
    this.#metrics.clear();
    this.#accumulators.clear();
  }

  /** The subtask starts anew. */
  forget({ vertexId, subtaskIndex }: ExecutionAttempt): void {
    this.#metrics.delete(keyOf(vertexId, subtaskIndex));
    this.#accumulators.delete(keyOf(vertexId, subtaskIndex));
  }

  putMetrics(attempt: ExecutionAttempt, values: Readonly<Record<string, number>>): void {
    this.#metrics.set(keyOf(attempt.vertexId, attempt.subtaskIndex), values);
  }

  putAccumulators(attempt: ExecutionAttempt, values: Readonly<Record<string, AccumulatorValue>>): void {
    this.#accumulators.set(keyOf(attempt.vertexId, attempt.subtaskIndex), values);
  }

  metricsOf({ vertexId, subtaskIndex }: ExecutionAttempt): Readonly<Record<string, number>> {
    return this.#metrics.get(keyOf(vertexId, subtaskIndex)) ?? {};
  }

  accumulatorsOf({ vertexId, subtaskIndex }: ExecutionAttempt): Readonly<Record<string, AccumulatorValue>> {
    return this.#accumulators.get(keyOf(vertexId, subtaskIndex)) ?? {};
  }

  vertexMetrics(jobGraph: JobGraph): VertexMetrics[] {
    return jobGraph.vertices.map((vertex) => ({
      vertexId: vertex.id, name: vertex.name, parallelism: vertex.parallelism,
      subtasks: Array.from({ length: vertex.parallelism }, (_, subtask) => this.#metrics.get(keyOf(vertex.id, subtask)) ?? {}),
    }));
  }

  accumulators(): Record<string, unknown> {
    const byName = new Map<string, AccumulatorValue[]>();
    for (const values of this.#accumulators.values()) {
      for (const [name, value] of Object.entries(values)) byName.set(name, [...(byName.get(name) ?? []), value]);
    }
    return Object.fromEntries([...byName].map(([name, values]) => [name, mergeAccumulatorValues(values)]));
  }
}

function keyOf(vertexId: string, subtaskIndex: number): string {
  return `${vertexId}:${subtaskIndex}`;
}
