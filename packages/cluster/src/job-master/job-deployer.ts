import type { Env } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import type { SlotEvent } from "@millrace/runtime";
import type { FailoverRegion } from "../scheduler/failover-regions.js";
import { assignSlots, regionSlots, type SlotAssignment } from "../scheduler/slot-assignment.js";
import type { SlotProvider } from "../scheduler/slot-provider.js";
import { DeployedRegions } from "./deployed-regions.js";
import { ExecutionGraph, type Execution } from "./execution-graph.js";
import type { JobHistory } from "./job-history.js";
import type { TaskLocation } from "./job-view.js";
import { RegionDeployment, type DeploymentLinks } from "./region-deployment.js";
import type { TaskReports } from "./task-reports.js";
import { WatermarkAlignment } from "./watermark-alignment.js";

/** What a deployer needs of its JobMaster; the events are those of the deployment that a region has now. */
export interface DeployerLinks extends Pick<DeploymentLinks, "onRunning" | "holds" | "checkpoint"> {
  onEvent(deployment: RegionDeployment, slotIndex: number, event: SlotEvent): void;
  onNoSlots(deployment: RegionDeployment, error: Parameters<DeploymentLinks["onNoSlots"]>[0]): void;
}

export interface JobDeployerInit {
  readonly env: Pick<Env, "clock" | "log">;
  readonly slots: SlotProvider;
  /** Number of the first attempt: sinks name what they write by it, and those of two leaders must differ. */
  readonly firstAttempt: number;
  readonly checkpointDirectory: string;
  readonly temporaryDirectory: string;
  readonly cancellationTimeoutMs: number;
  readonly history: JobHistory;
  readonly reports: TaskReports;
  readonly links: DeployerLinks;
}

/** Where tasks are that run in the JobMaster's own process. */
const embeddedLocation: TaskLocation = { taskManagerId: "embedded", endpoint: "localhost" };

/** Puts attempts in place of attempts: of all of a job, at any parallelism, or of a region. Earlier ones go to the job's history. */
export class JobDeployer {
  readonly #init: JobDeployerInit;
  readonly #alignment = new WatermarkAlignment(({ operatorId, subtaskIndex }, maxWatermarkMs) =>
    this.regions?.ofOperator(operatorId)?.sources.align(operatorId, subtaskIndex, maxWatermarkMs));
  #jobGraph: JobGraph;
  #assignment: SlotAssignment;
  #epoch = 0;
  /** Deployments of the whole job. */
  #plans = 0;
  #graph: ExecutionGraph | undefined;
  #regions: DeployedRegions | undefined;

  constructor(jobGraph: JobGraph, init: JobDeployerInit) {
    this.#init = init;
    this.#jobGraph = jobGraph;
    this.#assignment = assignSlots(jobGraph, init.slots.oneSlot);
  }

  /** The plan as it is deployed. */
  get jobGraph(): JobGraph {
    return this.#jobGraph;
  }

  /** Absent before the first deployment, like the regions. */
  get graph(): ExecutionGraph | undefined {
    return this.#graph;
  }

  get regions(): DeployedRegions | undefined {
    return this.#regions;
  }

  /** Nothing of the job may run. */
  deployAll(jobGraph: JobGraph, regions: readonly FailoverRegion[]): void {
    const { env, slots, reports } = this.#init;
    if (this.#graph !== undefined) this.#archive(this.#graph.all());
    reports.clear();
    this.#jobGraph = jobGraph;
    this.#assignment = assignSlots(jobGraph, slots.oneSlot);
    this.#graph = new ExecutionGraph(jobGraph, this.#init.firstAttempt + this.#plans++, this.#assignment.slotOfSubtask, () => env.clock.nowMs());
    this.#regions = new DeployedRegions(jobGraph, regions, (region) => this.#newDeployment(region));
    for (const deployment of this.#regions.all) deployment.deploy();
  }

  /** Nothing of the region may run. */
  redeploy(region: FailoverRegion): void {
    const executions = this.#graph!.of(region.vertices);
    this.#archive(executions);
    for (const { attempt } of executions) this.#init.reports.forget(attempt);
    this.#graph!.nextAttempts(region.vertices);
    const deployment = this.#newDeployment(region);
    this.#regions!.replace(deployment);
    deployment.deploy();
  }

  locationOf(execution: Execution): TaskLocation {
    return this.#regions?.locationOf(execution) ?? this.unassigned;
  }

  /** Where tasks are that have no slot yet. */
  get unassigned(): TaskLocation {
    return this.#init.slots.unassigned ?? embeddedLocation;
  }

  #newDeployment(region: FailoverRegion): RegionDeployment {
    const { env, slots, checkpointDirectory, temporaryDirectory, cancellationTimeoutMs, links } = this.#init;
    const executions = this.#graph!.of(region.vertices);
    const deployment: RegionDeployment = new RegionDeployment({
      env, jobGraph: this.#jobGraph, region, epoch: ++this.#epoch, slots, assignment: regionSlots(this.#assignment, region.vertices, slots.oneSlot),
      numberOfJobSlots: this.#assignment.numberOfSlots, executions, alignment: this.#alignment, checkpointDirectory, temporaryDirectory, cancellationTimeoutMs,
      links: {
        onEvent: (slotIndex, event) => {
          if (this.#regions!.isCurrent(deployment)) links.onEvent(deployment, slotIndex, event);
        },
        onNoSlots: (error) => links.onNoSlots(deployment, error),
        onRunning: () => links.onRunning(),
        holds: (operatorId) => links.holds(operatorId),
        checkpoint: () => links.checkpoint(),
      },
    });
    return deployment;
  }

  #archive(executions: Iterable<Execution>): void {
    this.#init.history.archive(executions, this.#init.reports, (execution) => this.locationOf(execution));
  }
}
