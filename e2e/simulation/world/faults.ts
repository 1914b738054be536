import type { Random, Simulation } from "@millrace/env-sim";
import { JOB_MANAGER_HOST, taskManagerHost, type SimulatedCluster } from "./cluster.js";
import type { ExternalStore } from "./external-store.js";
import type { Invariants } from "./invariants.js";
import type { Operator } from "./operator.js";

/** What goes wrong in a world. Add a kind here and what it does to {@link strike}. */
export const faultKinds = [
  "taskManagerKilled", "taskManagerPowerLoss", "taskManagerLostForGood", "taskManagerPaused", "jobManagerKilled", "jobManagerPowerLoss", "jobManagerPaused", "slotDied", "partition", "oneWayPartition",
  "connectionReset", "networkSlow", "diskFull", "diskFailing", "diskLostReplies", "diskSlow", "clockSkew", "userFailure", "storeLostRequests", "storeLostReplies",
  "storeDuplicates", "storeLate", "rescale", "checkpointOnDemand",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One fault: when it begins after the first submission, where, and for how long. */
export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly durationMs: number;
  readonly host: string;
  readonly other: string;
  /** How bad, in [0, 1). */
  readonly strength: number;
}

/** Everything that faults can be done to. */
export interface Target {
  readonly simulation: Simulation;
  readonly cluster: SimulatedCluster;
  readonly store: ExternalStore;
  readonly operator: Operator;
  readonly invariants: Invariants;
  readonly random: Random;
}

/** Kinds that are rare, because they end everything that runs. */
const rare: ReadonlySet<FaultKind> = new Set(["jobManagerKilled", "jobManagerPowerLoss"]);

/** A plan of its own for every seed: some kinds of faults, each more or less often. */
export function planFaults(random: Random, taskManagers: number, phaseMs: number): readonly Fault[] {
  const weights = faultKinds.map((kind) => (random.chance(0.4) ? random.int(1, 6) * (rare.has(kind) ? 0.3 : 1) : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return planFaults(random, taskManagers, phaseMs);
  const hosts = [JOB_MANAGER_HOST, ...Array.from({ length: taskManagers }, (_, index) => taskManagerHost(index))];
  return Array.from({ length: random.int(6, 18) }, (): Fault => {
    let at = random.next() * total;
    const kind = faultKinds[weights.findIndex((weight) => (at -= weight) < 0)]!;
    const host = kind.startsWith("jobManager") ? JOB_MANAGER_HOST : kind.startsWith("taskManager") || kind === "slotDied" ? taskManagerHost(random.int(0, taskManagers - 1)) : random.pick(hosts);
    return { kind, atMs: random.int(150, phaseMs), durationMs: Math.round(random.skewed(10, 2500)), host, other: random.pick(hosts.filter((other) => other !== host)), strength: random.next() };
  }).sort((a, b) => a.atMs - b.atMs);
}

/** Makes a fault happen now; tells whether it found something to strike. Whatever lasts ends by itself. */
export function strike(fault: Fault, target: Target): boolean {
  const { simulation, cluster, invariants, operator, random } = target;
  const { kind, host, other, durationMs, strength } = fault;
  const { network, disk } = cluster;
  const later = (undo: () => void): boolean => {
    simulation.schedule(durationMs * 1000, undo);
    return true;
  };
  const process = cluster.processOn(host);
  switch (kind) {
    case "taskManagerKilled":
    case "jobManagerKilled":
    case "taskManagerPowerLoss":
    case "jobManagerPowerLoss":
      if (process === undefined) return false;
      if (host === JOB_MANAGER_HOST) operator.jobManagerDies();
      cluster.kill(host, kind.endsWith("Killed") ? "killed" : "power loss", durationMs);
      return true;
    case "taskManagerLostForGood":
      if (process === undefined) return false;
      cluster.replace(host, durationMs);
      return true;
    case "taskManagerPaused":
    case "jobManagerPaused":
      if (process === undefined || process.paused) return false;
      process.pause();
      return later(() => process.resume());
    case "slotDied": {
      const slots = [...(cluster.taskManagers[Number(host.slice(2))]?.slots.running ?? [])];
      if (slots.length === 0) return false;
      random.pick(slots).die();
      return true;
    }
    case "partition":
      network.cut(host, other);
      network.cut(other, host);
      return later(() => {
        network.mend(host, other);
        network.mend(other, host);
      });
    case "oneWayPartition":
      network.cut(host, other);
      return later(() => network.mend(host, other));
    case "connectionReset": {
      const connections = network.connectionsOf(host);
      if (connections.length === 0) return false;
      random.pick(connections).reset();
      return true;
    }
    case "networkSlow":
      network.slow(1 + strength * 200);
      return later(() => network.slow(1));
    case "diskFull":
    case "diskFailing":
    case "diskLostReplies":
    case "diskSlow":
      disk.faults.set(host, {
        full: kind === "diskFull", failing: kind === "diskFailing" ? 0.1 + strength * 0.9 : 0, lostReplies: kind === "diskLostReplies" ? 0.1 + strength * 0.9 : 0,
        slowness: kind === "diskSlow" ? 2 + strength * 100 : 1,
      });
      return later(() => disk.faults.set(host, undefined));
    case "clockSkew":
      if (process === undefined) return false;
      process.skew(Math.round((strength - 0.5) * 4 * 3_600_000), 0.7 + strength * 0.6);
      return true;
    case "userFailure": {
      let left = Math.floor(strength * 30);
      invariants.fails = () => left-- === 0;
      return true;
    }
    case "storeLostRequests":
    case "storeLostReplies":
    case "storeDuplicates":
    case "storeLate": {
      const name = { storeLostRequests: "lostRequests", storeLostReplies: "lostReplies", storeDuplicates: "duplicates", storeLate: "late" }[kind];
      target.store.trouble = { ...target.store.trouble, [name]: 0.1 + strength * 0.5 };
      return later(() => {
        target.store.trouble = { ...target.store.trouble, [name]: 0 };
      });
    }
    case "rescale": return operator.rescale();
    case "checkpointOnDemand": return operator.triggerCheckpoint();
  }
}

/** Everything is well again, from now on. Processes that are down come back by themselves. */
export function heal({ cluster, store, invariants }: Target): void {
  cluster.network.mendAll();
  cluster.disk.faults.heal();
  store.trouble = {};
  invariants.fails = () => false;
  for (const host of cluster.hosts) {
    cluster.processOn(host)?.resume();
    cluster.processOn(host)?.skew(0, 1);
  }
}
