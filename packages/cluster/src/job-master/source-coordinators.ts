import type { JobGraph, JobVertex } from "@millrace/graph";
import type { CoordinatorToOperator, OperatorToCoordinator, SlotCommand } from "@millrace/runtime";
import { WatermarkAlignment } from "./watermark-alignment.js";

interface SourceOperator {
  readonly operatorId: string;
  readonly nodeId: number;
  readonly vertex: JobVertex;
}

/** What the router needs of its JobMaster. */
export interface CoordinatorLinks {
  send(slotIndex: number, command: SlotCommand): void;
  slotOf(vertexId: string, subtaskIndex: number): number;
  /** Whether what this coordinator sends must wait for the sources to be triggered. */
  holds(operatorId: string): boolean;
}

/**
 * Routes between source coordinators (split enumerators, which are user code and so run in the slot of their source's first subtask) and the
 * source's subtasks. One per deployment of a region. Order is kept per coordinator and subtask.
 */
export class SourceCoordinators {
  readonly #epoch: number;
  readonly #links: CoordinatorLinks;
  readonly #sources: ReadonlyMap<string, SourceOperator>;
  readonly #alignment: WatermarkAlignment;
  #held: { readonly operatorId: string; readonly subtaskIndex: number; readonly event: CoordinatorToOperator }[] = [];

  /** @param vertices those of the region. @param alignment that of the whole job: a group may reach over regions */
  constructor(epoch: number, vertices: readonly JobVertex[], alignment: WatermarkAlignment, links: CoordinatorLinks) {
    this.#epoch = epoch;
    this.#links = links;
    this.#sources = sourceOperators({ vertices });
    this.#alignment = alignment;
  }

  start(restored: (operatorId: string) => Uint8Array | undefined): void {
    for (const { operatorId, nodeId, vertex } of this.#sources.values()) {
      this.#links.send(this.#homeOf(vertex), {
        type: "startCoordinator", epoch: this.#epoch, operatorId, nodeId, parallelism: vertex.parallelism, restored: restored(operatorId),
      });
    }
  }

  snapshot(operatorId: string, checkpointId: number): void {
    this.#links.send(this.#homeOf(this.#sources.get(operatorId)!.vertex), { type: "snapshotCoordinator", epoch: this.#epoch, operatorId, checkpointId });
  }

  /** From a subtask to its coordinator; watermark reports end here. */
  fromOperator(operatorId: string, subtaskIndex: number, event: OperatorToCoordinator): void {
    const source = this.#sources.get(operatorId);
    if (source === undefined) return;
    if (event.kind === "watermarkReport") {
      this.#alignment.report(event.group, { operatorId, subtaskIndex }, event.watermarkMs, event.maxDriftMs);
      return;
    }
    this.#links.send(this.#homeOf(source.vertex), { type: "coordinatorEvent", epoch: this.#epoch, operatorId, subtaskIndex, event });
  }

  /** From a coordinator to one of its subtasks. */
  fromCoordinator(operatorId: string, subtaskIndex: number, event: CoordinatorToOperator): void {
    if (this.#links.holds(operatorId)) this.#held.push({ operatorId, subtaskIndex, event });
    else this.#toOperator(operatorId, subtaskIndex, event);
  }

  releaseHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const { operatorId, subtaskIndex, event } of held) this.#toOperator(operatorId, subtaskIndex, event);
  }

  subtaskFinished(vertex: JobVertex, subtaskIndex: number): void {
    for (const { id } of vertex.operators) this.#alignment.leave(id, subtaskIndex);
  }

  /** No subtask of the region runs any more. */
  close(): void {
    this.#held = [];
    for (const { operatorId, vertex } of this.#sources.values()) for (let subtask = 0; subtask < vertex.parallelism; subtask++) this.#alignment.leave(operatorId, subtask);
  }

  /** Tells a reader how far it may go. */
  align(operatorId: string, subtaskIndex: number, maxWatermarkMs: number): void {
    this.#toOperator(operatorId, subtaskIndex, { kind: "alignment", maxWatermarkMs });
  }

  #toOperator(operatorId: string, subtaskIndex: number, event: CoordinatorToOperator): void {
    const source = this.#sources.get(operatorId);
    if (source === undefined || subtaskIndex >= source.vertex.parallelism) return;
    this.#links.send(this.#links.slotOf(source.vertex.id, subtaskIndex), { type: "operatorEvent", epoch: this.#epoch, operatorId, subtaskIndex, event });
  }

  #homeOf(vertex: JobVertex): number {
    return this.#links.slotOf(vertex.id, 0);
  }
}

/** The operators of a job that have a coordinator, by operator id. */
export function sourceOperators(jobGraph: Pick<JobGraph, "vertices">): ReadonlyMap<string, SourceOperator> {
  return new Map(jobGraph.vertices.flatMap((vertex) => vertex.operators
    .filter((operator) => operator.type === "source")
    .map((operator) => [operator.id, { operatorId: operator.id, nodeId: operator.nodeId, vertex }] as const)));
}

/** How failures name the source coordinator of an operator. */
export function sourceTaskName(jobGraph: JobGraph, operatorId: string): string | undefined {
  const operator = jobGraph.vertices.flatMap((vertex) => vertex.operators).find(({ id }) => id === operatorId);
  return operator === undefined ? undefined : `SourceCoordinator ${operator.name}`;
}
