// A job with the adaptive scheduler over scripted slots that come and go.
import assert from "node:assert/strict";
import type { JobGraph, JobStatus } from "@millrace/graph";
import { MemoryFileSystem, VirtualTime } from "@millrace/testkit";
import { JobMaster } from "../src/index.js";
import { ScriptedSlots, twoVertexGraph } from "./scripted-slots.js";

/** Scripted slots of which there are only so many. */
export class LimitedSlots extends ScriptedSlots {
  #watchers = new Set<() => void>();
  #available: number;

  constructor(time: VirtualTime, available: number) {
    super(time.clock);
    this.#available = available;
  }
  availableSlots(): number {
    return this.#available;
  }
  missing(numberOfSlots: number): string {
    return `${numberOfSlots} slots, ${this.#available} are there`;
  }
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }
  setAvailable(available: number): void {
    this.#available = available;
    for (const changed of this.#watchers) changed();
  }
  get watchers(): number {
    return this.#watchers.size;
  }
}

export const ADAPTIVE = {
  "jobmanager.scheduler": "adaptive", "execution.checkpointing.interval": 1000,
  "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 9, "restart-strategy.fixed-delay.delay": 500,
};
export const REACTIVE = { ...ADAPTIVE, "scheduler-mode": "reactive" };
export const EXECUTING = "jobmanager.adaptive-scheduler.executing";
export const TRIGGER = "jobmanager.adaptive-scheduler.rescale-trigger";

/** An elastic job over so many slots, on a virtual clock. */
export class World {
  readonly fs = new MemoryFileSystem();
  readonly time = new VirtualTime({ fs: this.fs });
  readonly slots: LimitedSlots;
  readonly statuses: JobStatus[] = [];
  readonly job: JobMaster;

  constructor(available: number, config: Record<string, unknown> = ADAPTIVE, jobGraph: JobGraph = twoVertexGraph(config, 4)) {
    this.slots = new LimitedSlots(this.time, available);
    this.job = new JobMaster({
      env: this.time.env, jobGraph, slots: this.slots, checkpointDirectory: "/checkpoints/job", temporaryDirectory: "/tmp/job",
      onStatus: (status) => this.statuses.push(status),
    });
    this.job.start();
  }

  /** Parallelism of source and map, attempt, and the checkpoint that they start from, of each deployment. */
  get deployed(): string[] {
    return [...this.slots.requests.values()].map(({ epoch, jobGraph, numberOfJobSlots }) => {
      const { attempt, restore } = this.slots.ofType("deploy").find((command) => command.epoch === epoch)!.tasks[0]!;
      assert.equal(numberOfJobSlots, Math.max(...jobGraph.vertices.map(({ parallelism }) => parallelism)));
      return `${jobGraph.vertices.map(({ parallelism }) => parallelism).join("/")}#${attempt.attemptNumber}${restore === undefined ? "" : `@${restore.checkpointId}`}`;
    });
  }

  require(...bounds: readonly (readonly [number, number])[]): Promise<void> {
    const { vertices } = this.job.jobGraph;
    return this.job.updateRequirements(Object.fromEntries(vertices.map(({ id }, i) => [id, { lowerBound: bounds[i]![0], upperBound: bounds[i]![1] }])));
  }
}
