import type { Random } from "@millrace/env-sim";
import { METADATA_FILE } from "@millrace/cluster";
import { hasWindows } from "../job/job-spec.js";
import { taskManagerHost, type ClusterSpec } from "./cluster.js";
import type { Fault, Target } from "./faults.js";

/** Faults that aim at a moment which those that strike at any time hardly ever meet. */
export const aimedFaultKinds = ["sinkSlow", "readersStall", "metadataHangs", "leaderDiesCommitting", "leaderDiesAndDisksFail", "taskManagerBlinks", "stopUnderPressure"] as const;
export type AimedFaultKind = (typeof aimedFaultKinds)[number];

/** Share of the seeds that have some. */
const SHARE = 0.6;

/** A few of them for some seeds. */
export function planAimedFaults(random: Random, { highAvailability, taskManagers }: ClusterSpec, phaseMs: number): readonly Fault[] {
  if (!random.chance(SHARE)) return [];
  const kinds = aimedFaultKinds.filter((kind) => highAvailability.kind !== "none" || !kind.startsWith("leader"));
  const hosts = taskManagers.map((_, index) => taskManagerHost(index));
  return Array.from({ length: random.int(1, 4) }, (): Fault => {
    const kind = random.pick(kinds);
    // Shorter than any heartbeat timeout: nobody is missed before it is back.
    const durationMs = kind === "taskManagerBlinks" ? random.int(1, 60) : random.int(100, 1500);
    // Later many sources have nothing left to be silent about.
    const latestMs = kind === "readersStall" ? Math.min(1200, phaseMs) : phaseMs;
    return { kind, atMs: random.int(300, latestMs), durationMs, host: random.pick(hosts), other: "", strength: random.next() };
  });
}

/** Makes one happen now; tells whether it found something to strike. */
export function strikeAimed({ kind, host, durationMs, strength }: Fault & { readonly kind: AimedFaultKind }, target: Target): boolean {
  const { simulation, cluster, commits, operator, invariants } = target;
  const { disk, jobManagers } = cluster;
  const { leaderHost } = jobManagers;
  const later = (undo: () => void, afterMs: number = durationMs): boolean => {
    simulation.schedule(afterMs * 1000, undo);
    return true;
  };
  switch (kind) {
    case "sinkSlow":
      return slowSink(target, durationMs, strength);
    case "stopUnderPressure":
      slowSink(target, durationMs, strength);
      return later(() => void operator.stopAndResume(!hasWindows(target.job)), durationMs * 0.7);
    case "readersStall":
      invariants.stalls = (source, subtask) => (source.charCodeAt(0) + subtask) % 2 === Math.floor(strength * 2);
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
    case "taskManagerBlinks":
      if (cluster.processOn(host) === undefined) return false;
      cluster.kill(host, "power loss", durationMs);
      return true;
  }
}

/** What is before a slow sink fills up. */
function slowSink({ simulation, store }: Target, durationMs: number, strength: number): boolean {
  store.slowMs = 10 + Math.round(strength * 70);
  simulation.schedule(durationMs * 1000, () => (store.slowMs = 0));
  return true;
}

export function isAimed(kind: string): kind is AimedFaultKind {
  return (aimedFaultKinds as readonly string[]).includes(kind);
}
