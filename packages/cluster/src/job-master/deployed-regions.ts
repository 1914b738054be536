import type { JobGraph } from "@millrace/graph";
import type { CheckpointOptions } from "@millrace/runtime";
import type { FailoverRegion } from "../scheduler/failover-regions.js";
import type { Execution } from "./execution-graph.js";
import type { TaskLocation } from "./job-view.js";
import type { RegionDeployment } from "./region-deployment.js";

/** The regions of a job, each with its deployment of the moment. */
export class DeployedRegions {
  readonly #regionOf: ReadonlyMap<string, FailoverRegion>;
  readonly #vertexOfOperator: ReadonlyMap<string, string>;
  readonly #deployments: RegionDeployment[] = [];

  constructor(jobGraph: JobGraph, regions: readonly FailoverRegion[], deploymentOf: (region: FailoverRegion) => RegionDeployment) {
    this.#regionOf = new Map(regions.flatMap((region) => region.vertices.map(({ id }) => [id, region] as const)));
    this.#vertexOfOperator = new Map(jobGraph.vertices.flatMap((vertex) => vertex.operators.map(({ id }) => [id, vertex.id] as const)));
    for (const region of regions) this.#deployments.push(deploymentOf(region));
  }

  get all(): readonly RegionDeployment[] {
    return this.#deployments;
  }

  /** The next deployment of a region takes the place of the one before. */
  replace(deployment: RegionDeployment): void {
    this.#deployments[deployment.region.index] = deployment;
  }

  isCurrent(deployment: RegionDeployment): boolean {
    return this.#deployments[deployment.region.index] === deployment;
  }

  ofVertex(vertexId: string): RegionDeployment | undefined {
    const region = this.#regionOf.get(vertexId);
    return region === undefined ? undefined : this.#deployments[region.index];
  }

  ofOperator(operatorId: string): RegionDeployment | undefined {
    return this.ofVertex(this.#vertexOfOperator.get(operatorId) ?? "");
  }

  locationOf({ attempt, slotIndex }: Execution): TaskLocation | undefined {
    return this.ofVertex(attempt.vertexId)?.locationOf(slotIndex);
  }

  releaseCoordinatorEvents(): void {
    for (const { sources } of this.#deployments) sources.releaseHeld();
  }

  triggerCheckpoint(tasks: readonly Execution[], checkpointId: number, timestampMs: number, options: CheckpointOptions): void {
    for (const deployment of this.#deployments) {
      const bySlot = new Map<number, Execution["attempt"][]>();
      for (const { slotIndex, attempt } of tasks) {
        if (this.ofVertex(attempt.vertexId) === deployment) bySlot.set(slotIndex, [...(bySlot.get(slotIndex) ?? []), attempt]);
      }
      for (const [slotIndex, attempts] of bySlot) {
        deployment.send(slotIndex, { type: "triggerCheckpoint", epoch: deployment.epoch, checkpointId, timestampMs, tasks: attempts, options });
      }
    }
  }

  /** Tells every slot what became of a checkpoint. */
  notifyCheckpoint(type: "checkpointComplete" | "checkpointAborted", checkpointId: number): void {
    for (const deployment of this.#deployments) deployment.sendAll({ type, epoch: deployment.epoch, checkpointId });
  }
}
