import { MemoryFileSystem, VirtualTime } from "@millrace/testkit";
import { JobMaster } from "../src/index.js";
import { ScriptedSlots, twoVertexGraph } from "./scripted-slots.js";

/** A JobMaster over scripted slots, in virtual time. */
export class World {
  readonly fs: MemoryFileSystem;
  readonly time: VirtualTime;
  readonly slots: ScriptedSlots;
  readonly job: JobMaster;

  constructor(config: Record<string, unknown>, options: { fs?: MemoryFileSystem; parallelism?: number; runtimeMode?: "STREAMING" | "BATCH" } = {}) {
    this.fs = options.fs ?? new MemoryFileSystem();
    this.time = new VirtualTime({ fs: this.fs });
    this.slots = new ScriptedSlots(this.time.clock);
    this.job = new JobMaster({ env: this.time.env, jobGraph: { ...twoVertexGraph(config, options.parallelism), runtimeMode: options.runtimeMode ?? "STREAMING" }, slots: this.slots, checkpointDirectory: "/c/job", temporaryDirectory: "/tmp/job" });
    this.job.start();
  }
  /** Checkpoint ids and times at which tasks were triggered. */
  get triggers(): [number, number][] {
    const seen = new Map(this.slots.ofType("triggerCheckpoint").map((command) => [command.checkpointId, command.timestampMs]));
    return [...seen];
  }
}

/** Swallows the triggers, so that no task acknowledges. */
export function silence(world: World): void {
  world.slots.intercept = (command) => command.type === "triggerCheckpoint";
}
