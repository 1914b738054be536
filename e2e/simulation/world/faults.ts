import type { Random, Simulation } from "@millrace/env-sim";
import { hasWindows, type JobSpec } from "../job/job-spec.js";
import { aimedFaultKinds, isAimed, planAimedFaults, strikeAimed } from "./aimed-faults.js";
import { isJobManager, taskManagerHost, type ClusterSpec, type SimulatedCluster } from "./cluster.js";
import type { CommitLedger } from "./commit-ledger.js";
import { COORDINATION_HOST } from "./coordination-service.js";
import type { ExternalStore } from "./external-store.js";
import type { Invariants } from "./invariants.js";
import { jobManagerHost } from "./job-managers.js";
import type { Operator } from "./operator.js";

/** What goes wrong at any time, or is asked for in the middle of it. Add a kind here and what it does to {@link strike}. */
const usualFaultKinds = [
  "taskManagerKilled", "taskManagerPowerLoss", "taskManagerLostForGood", "taskManagerPaused", "taskManagerJoins", "taskManagerLeaves", "slotDied",
  "jobManagerKilled", "jobManagerPowerLoss", "jobManagerPaused", "leaderPausedBeyondLease", "leaderCutOff", "leaderDeposed", "coordinationDown",
  "partition", "oneWayPartition", "connectionReset", "networkSlow", "diskFull", "diskFailing", "diskLostReplies", "diskSlow", "clockSkew", "userFailure",
  "storeLostRequests", "storeLostReplies", "storeDuplicates", "storeLate",
  "moveElsewhere", "rescaleInPlace", "checkpointOnDemand", "savepoint", "stopWithSavepoint", "drain",
] as const;
export const faultKinds = [...usualFaultKinds, ...aimedFaultKinds] as const;
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
  readonly job: JobSpec;
  readonly commits: CommitLedger;
  readonly store: ExternalStore;
  readonly operator: Operator;
  readonly invariants: Invariants;
  readonly random: Random;
}

/** Beyond these nobody joins. */
const MOST_TASK_MANAGERS = 7;
/** Ends everything that runs, when no other JobManager goes on. */
const endsAll: ReadonlySet<FaultKind> = new Set(["jobManagerKilled", "jobManagerPowerLoss"]);
const needsLeaders: ReadonlySet<FaultKind> = new Set(["leaderPausedBeyondLease", "leaderCutOff", "leaderDeposed", "coordinationDown"]);
/** Share of the faults of a JobManager that the leader has, with high availability. */
const AT_LEADER = 0.6;

/** Whether a kind can strike at all. */
function isPossible(kind: FaultKind, { highAvailability }: ClusterSpec, job: JobSpec): boolean {
  if (needsLeaders.has(kind)) return highAvailability.kind === "service" || (highAvailability.kind === "file" && kind !== "leaderDeposed");
  if (kind === "rescaleInPlace") return job.config["jobmanager.scheduler"] === "adaptive";
  return kind !== "drain" || !hasWindows(job);
}

/** A plan of its own for every seed: some kinds of faults, each more or less often. */
export function planFaults(random: Random, cluster: ClusterSpec, job: JobSpec, phaseMs: number): readonly Fault[] {
  const weightOf = (kind: FaultKind): number => random.int(1, 6) * (cluster.highAvailability.kind === "none" && endsAll.has(kind) ? 0.3 : 1);
  const weights = usualFaultKinds.map((kind) => (random.chance(0.4) ? weightOf(kind) : 0)).map((weight, at) => (isPossible(usualFaultKinds[at]!, cluster, job) ? weight : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return planFaults(random, cluster, job, phaseMs);
  const jobManagers = Array.from({ length: cluster.jobManagers }, (_, index) => jobManagerHost(index));
  const taskManagers = cluster.taskManagers.map((_, index) => taskManagerHost(index));
  const service = cluster.highAvailability.kind === "service" ? [COORDINATION_HOST] : [];
  const usual = Array.from({ length: random.int(8, 20) }, (): Fault => {
    let at = random.next() * total;
    const kind = usualFaultKinds[weights.findIndex((weight) => (at -= weight) < 0)]!;
    const hosts = kind.startsWith("jobManager") ? jobManagers : kind.startsWith("taskManager") || kind === "slotDied" ? taskManagers : [...jobManagers, ...taskManagers];
    const host = random.pick(hosts);
    const others = [...jobManagers, ...taskManagers, ...service].filter((other) => other !== host);
    return { kind, atMs: random.int(150, phaseMs), durationMs: Math.round(random.skewed(10, 2500)), host, other: random.pick(others), strength: random.next() };
  });
  return [...usual, ...planAimedFaults(random.fork("aimed"), cluster, job, phaseMs)].sort((a, b) => a.atMs - b.atMs);
}

/** Makes a fault happen now; tells whether it found something to strike. Whatever lasts ends by itself. */
export function strike(fault: Fault, target: Target): boolean {
  const { simulation, cluster, invariants, operator, random } = target;
  const { kind, other, durationMs, strength } = fault;
  if (isAimed(kind)) return strikeAimed({ ...fault, kind }, target);
  const { network, disk, highAvailability: { spec: { leaseMs }, service }, jobManagers } = cluster;
  const host = kind.startsWith("leader") || (kind.startsWith("jobManager") && strength < AT_LEADER) ? (jobManagers.leaderHost ?? fault.host) : fault.host;
  const longerThanLeaseMs = leaseMs * (1 + 2 * strength);
  const later = (undo: () => void, afterMs: number = durationMs): boolean => {
    simulation.schedule(afterMs * 1000, undo);
    return true;
  };
  const process = cluster.processOn(host);
  switch (kind) {
    case "taskManagerKilled":
    case "jobManagerKilled":
    case "taskManagerPowerLoss":
    case "jobManagerPowerLoss":
      if (process === undefined) return false;
      if (isJobManager(host)) operator.jobManagerDies();
      cluster.kill(host, kind.endsWith("Killed") ? "killed" : "power loss", durationMs);
      return true;
    case "taskManagerLostForGood":
      if (process === undefined) return false;
      cluster.replace(host, durationMs);
      return true;
    case "taskManagerJoins":
      if (cluster.taskManagers.length >= MOST_TASK_MANAGERS) return false;
      cluster.join(1 + Math.floor(strength * 3));
      return true;
    case "taskManagerLeaves":
      if (process === undefined) return false;
      cluster.leave(host, durationMs);
      return true;
    case "taskManagerPaused":
    case "jobManagerPaused":
    case "leaderPausedBeyondLease":
      if (process === undefined || process.paused) return false;
      process.pause();
      return later(() => process.resume(), kind === "leaderPausedBeyondLease" ? longerThanLeaseMs : durationMs);
    case "leaderCutOff":
      if (service === undefined) {
        disk.faults.set(host, { failing: 1 });
        return later(() => disk.faults.set(host, undefined), longerThanLeaseMs);
      }
      network.cut(host, COORDINATION_HOST);
      if (strength > 0.5) network.cut(COORDINATION_HOST, host);
      return later(() => {
        network.mend(host, COORDINATION_HOST);
        network.mend(COORDINATION_HOST, host);
      }, longerThanLeaseMs);
    case "leaderDeposed": return service!.expireLeader();
    case "coordinationDown":
      if (service !== undefined) {
        service.down = true;
        return later(() => (service.down = false));
      }
      for (const one of jobManagers.hosts) disk.faults.set(one, { failing: 0.5 + strength / 2 });
      return later(() => {
        for (const one of jobManagers.hosts) disk.faults.set(one, undefined);
      });
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
    case "moveElsewhere": return operator.moveElsewhere();
    case "rescaleInPlace": return operator.rescaleInPlace(1 + Math.floor(strength * 5));
    case "savepoint": return operator.takeSavepoint(strength < 0.6);
    case "stopWithSavepoint": return operator.stopAndResume(false);
    case "drain": return operator.stopAndResume(true);
    case "checkpointOnDemand": return operator.triggerCheckpoint();
  }
}

/** Everything is well again, from now on. Processes that are down come back by themselves. */
export function heal({ cluster, commits, store, invariants }: Target): void {
  cluster.network.mendAll();
  cluster.disk.faults.heal();
  store.trouble = {};
  if (cluster.highAvailability.service !== undefined) cluster.highAvailability.service.down = false;
  store.slowMs = invariants.slowMs = 0;
  commits.diesCommitting = undefined;
  invariants.onRecordsInFlight = undefined;
  invariants.fails = invariants.stalls = () => false;
  for (const host of cluster.hosts) {
    cluster.processOn(host)?.resume();
    cluster.processOn(host)?.skew(0, 1);
  }
}
