import type { Journal } from "../report/journal.js";
import type { JobControl } from "../world/job-control.js";
import type { World } from "../world/world.js";

/** Every kind of thing that is done to a cluster; a new one is a name here and a {@link Fault} in a file of this folder. */
export const faultNames = [
  "task-manager-killed", "task-manager-stopped", "slot-killed", "leader-killed", "leader-stopped", "standby-killed", "task-manager-paused", "task-manager-paused-past-heartbeat", "job-manager-paused", "leader-paused-past-lease",
  "connections-torn", "link-black-holed-one-way", "link-black-holed", "link-slow", "disk-full", "zookeeper-killed", "zookeeper-cut-off", "broker-killed", "broker-paused", "broker-cut-off",
  "database-killed", "database-process-killed", "database-paused", "database-cut-off",
  "savepoint", "rescale", "stop-and-resume",
] as const;
export type FaultName = (typeof faultNames)[number];

/** What a fault acts on. */
export interface FaultContext {
  readonly world: World;
  readonly job: JobControl;
  readonly journal: Journal;
  readonly random: () => number;
  /** Ends with the run. */
  readonly signal: AbortSignal;
}

export interface Fault {
  readonly name: FaultName;
  /** Whether there is such a thing in this world at all. */
  applies(world: World): boolean;
  /**
   * Does it, and resolves when what it did is over. Tells the journal once it has taken effect; what finds nobody to strike (whom another fault has) resolves
   * without a word, and is tried again later.
   */
  strike(context: FaultContext): Promise<void>;
}

/** A number of milliseconds in between. */
export function between(random: () => number, fromMs: number, toMs: number): number {
  return fromMs + random() * (toMs - fromMs);
}

/** One that no other fault has, if there is one. */
export function pick<T extends { readonly isStruck: boolean }>(random: () => number, candidates: readonly T[]): T | undefined {
  const free = candidates.filter(({ isStruck }) => !isStruck);
  return free[Math.floor(random() * free.length)];
}

/** Keeps other faults away from somebody meanwhile. */
export async function holding(target: { isStruck: boolean }, work: () => Promise<void>): Promise<void> {
  target.isStruck = true;
  try {
    await work();
  } finally {
    target.isStruck = false;
  }
}
