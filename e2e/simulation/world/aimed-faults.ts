import type { Random } from "@millrace/env-sim";
import { METADATA_FILE } from "@millrace/cluster";
import { hasWindows, type JobSpec } from "../job/job-spec.js";
import { taskManagerHost, type ClusterSpec } from "./cluster.js";
import type { Fault, Target } from "./faults.js";

/** Faults that aim at a moment which those that strike at any time hardly ever meet. */
export const aimedFaultKinds = [
  "sinkSlow", "readersStall", "metadataHangs", "leaderDiesCommitting", "leaderDiesAndDisksFail", "leaderDiesAndMetadataFails", "taskManagerBlinks", "stopUnderPressure",
  "snapshotsFail", "slotDiesAfterInFlight", "commitsLost",
] as const;
export type AimedFaultKind = (typeof aimedFaultKinds)[number];

const METADATA_PATH = new RegExp(`/${METADATA_FILE}$`);
/** What a TaskManager writes of a checkpoint, or reads of one. */
const STATE_PATH = /\/chk-\d+\//;
/** It takes a while until outputs are full, or splits idle. */
const LASTING: ReadonlySet<AimedFaultKind> = new Set(["readersStall", "stopUnderPressure", "snapshotsFail", "slotDiesAfterInFlight"]);
/** How much slower a sink is then: slower than the sources. */
const JAMMED = 4;
/** Longer than it takes a split to be idle. */
const STALL_MS = 450;
/** Share of the seeds that have some. */
const SHARE = 0.75;
/** What the moment of a fault is made of, where not every job has it, comes up more often in the others. */
const WEIGHT_WHERE_IT_FITS = 4;

/** How often a kind is drawn, beside others; 0 where it has nothing to strike. */
function weightOf(kind: AimedFaultKind, { highAvailability }: ClusterSpec, { pipelines, config }: JobSpec): number {
  const sources = pipelines.flatMap((pipeline) => pipeline.sources);
  const fits = (fitting: boolean): number => (fitting ? WEIGHT_WHERE_IT_FITS : 1);
  switch (kind) {
    case "leaderDiesCommitting":
    case "leaderDiesAndDisksFail": return highAvailability.kind === "none" ? 0 : 1;
    // Whoever retains one checkpoint has no older one to go back to.
    case "leaderDiesAndMetadataFails": return highAvailability.kind === "none" ? 0 : fits(config["execution.checkpointing.num-retained"] !== 1);
    case "readersStall": return fits(sources.some(({ idleMs }) => idleMs > 0));
    case "stopUnderPressure": return fits(sources.some(({ ahead }) => ahead));
    // Whoever tolerates no failure begins anew, with nothing that waits for barriers.
    case "snapshotsFail": return fits(Number(config["execution.checkpointing.tolerable-failed-checkpoints"]) > 2);
    case "slotDiesAfterInFlight": return config["execution.checkpointing.unaligned.enabled"] === true ? WEIGHT_WHERE_IT_FITS : 0;
    default: return 1;
  }
}

/** A few of them for some seeds. */
export function planAimedFaults(random: Random, cluster: ClusterSpec, job: JobSpec, phaseMs: number): readonly Fault[] {
  if (!random.chance(SHARE)) return [];
  const kinds = aimedFaultKinds.flatMap((kind) => Array.from({ length: weightOf(kind, cluster, job) }, () => kind));
  const hosts = cluster.taskManagers.map((_, index) => taskManagerHost(index));
  return Array.from({ length: random.int(1, 5) }, (): Fault => {
    const kind = random.pick(kinds);
    // Shorter than any heartbeat timeout: nobody is missed before it is back.
    const durationMs = kind === "taskManagerBlinks" ? random.int(1, 60) : LASTING.has(kind) ? random.int(600, 2500) : random.int(100, 1500);
    // Later many sources have nothing left to be silent about, or no split to wait for.
    const latestMs = kind === "readersStall" || kind === "stopUnderPressure" ? Math.min(1200, phaseMs) : phaseMs;
    return { kind, atMs: random.int(300, latestMs), durationMs, host: random.pick(hosts), other: "", strength: random.next() };
  });
}

/** Makes one happen now; tells whether it found something to strike. */
export function strikeAimed({ kind, host, durationMs, strength }: Fault & { readonly kind: AimedFaultKind }, target: Target): boolean {
  const { simulation, cluster, commits, operator, invariants } = target;
  const { disk, network, jobManagers, highAvailability } = cluster;
  const { leaderHost } = jobManagers;
  const later = (undo: () => void, afterMs: number = durationMs): boolean => {
    simulation.schedule(afterMs * 1000, undo);
    return true;
  };
  switch (kind) {
    case "sinkSlow":
      return slowSink(target, durationMs, strength);
    case "stopUnderPressure":
      slowSink(target, durationMs, strength * JAMMED);
      return later(() => void operator.stopAndResume(!hasWindows(target.job)), durationMs * (0.3 + strength * 0.4));
    case "readersStall":
      // In turns, so that each becomes idle and comes back behind the others while those go on.
      invariants.stalls = (source, subtask) => (source.charCodeAt(0) + subtask + Math.floor(simulation.nowMs / STALL_MS + strength)) % 2 === 0;
      return later(() => (invariants.stalls = () => false));
    case "metadataHangs":
      if (leaderHost === undefined) return false;
      disk.faults.hang(leaderHost, `/${METADATA_FILE}`, durationMs);
      return true;
    case "leaderDiesCommitting":
      commits.diesCommitting = (committer) => {
        commits.diesCommitting = undefined;
        if (cluster.processOn(committer) === undefined) return false;
        simulation.note(`${committer} dies over a commit`);
        cluster.kill(committer, "killed", durationMs);
        return true;
      };
      return later(() => (commits.diesCommitting = undefined), 2 * durationMs);
    case "leaderDiesAndDisksFail":
      if (leaderHost === undefined) return false;
      cluster.kill(leaderHost, "killed", durationMs);
      for (const one of jobManagers.hosts) disk.faults.set(one, { failing: 0.2 + strength * 0.5 });
      return later(() => {
        for (const one of jobManagers.hosts) disk.faults.set(one, undefined);
      });
    case "leaderDiesAndMetadataFails": {
      if (leaderHost === undefined) return false;
      // The newest one alone, or now this one and now that.
      const newest = strength < 0.6 ? invariants.newestCheckpoint : undefined;
      const unreadable = newest === undefined ? { failing: 0.2 + strength * 0.5, only: METADATA_PATH } : { failing: 1, only: new RegExp(`^${newest}/${METADATA_FILE}$`) };
      cluster.kill(leaderHost, "killed", durationMs);
      for (const one of jobManagers.hosts) disk.faults.set(one, unreadable);
      // The next one begins when the lease of the last has run out.
      return later(() => {
        for (const one of jobManagers.hosts) disk.faults.set(one, undefined);
      }, durationMs + 2 * highAvailability.spec.leaseMs);
    }
    case "snapshotsFail": {
      // Some give a checkpoint up while its barriers have not come to others: these are slow, or cut off from the rest, but not from the JobManager.
      const hosts = cluster.taskManagers.map((_, index) => taskManagerHost(index));
      const apart = strength < 0.3 ? [] : hosts.filter((one) => one !== host);
      if (apart.length === 0) slowSink(target, durationMs, strength * JAMMED);
      for (const one of apart) {
        network.cut(host, one);
        network.cut(one, host);
      }
      for (const one of hosts) disk.faults.set(one, { failing: 0.3 + strength * 0.7, only: STATE_PATH });
      return later(() => {
        for (const one of hosts) disk.faults.set(one, undefined);
        for (const one of apart) {
          network.mend(host, one);
          network.mend(one, host);
        }
      });
    }
    case "slotDiesAfterInFlight":
      slowSink(target, durationMs, strength * JAMMED);
      invariants.onRecordsInFlight = (ofOutputs) => {
        // Inputs fill up before outputs, and do so more often; one that has either may be long in coming.
        if (!ofOutputs && strength > 0.2) return;
        invariants.onRecordsInFlight = undefined;
        simulation.schedule(Math.round(strength * 30) * 1000, () => {
          const slots = cluster.taskManagers.flatMap((taskManager) => [...(taskManager?.slots.running ?? [])]);
          if (slots.length === 0) return;
          simulation.note("a slot dies after a checkpoint with records in flight");
          target.random.pick(slots).die();
        });
      };
      return true;
    case "commitsLost":
      target.store.trouble = { ...target.store.trouble, lostCommits: 0.3 + strength * 0.7 };
      return later(() => {
        target.store.trouble = { ...target.store.trouble, lostCommits: 0 };
      });
    case "taskManagerBlinks":
      if (cluster.processOn(host) === undefined) return false;
      cluster.kill(host, "power loss", durationMs);
      return true;
  }
}

/** What is before a slow sink, or calls that are not answered, fills up. @param strength 1: 80 ms for a record */
function slowSink({ simulation, store, invariants }: Target, durationMs: number, strength: number): boolean {
  store.slowMs = invariants.slowMs = 10 + Math.round(strength * 70);
  simulation.schedule(durationMs * 1000, () => (store.slowMs = invariants.slowMs = 0));
  return true;
}

export function isAimed(kind: string): kind is AimedFaultKind {
  return (aimedFaultKinds as readonly string[]).includes(kind);
}
