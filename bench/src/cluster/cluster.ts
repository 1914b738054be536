import { highWaterKb } from "../contestants/process-tree.js";

/** A JobManager and TaskManagers with one slot each, ours or Flink's. Both answer the same REST calls. */
export interface BenchCluster {
  readonly directory: string;
  readonly restUrl: string;
  /** All of its processes that live. */
  pids(): readonly number[];
  /** The process id of a TaskManager of which no slot is free. */
  busyTaskManager(): Promise<number>;
  stop(): Promise<void>;
}

export async function restJson<T>(restUrl: string, path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(`${restUrl}/v1${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${init?.method ?? "GET"} ${path}: ${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text === "" ? "null" : text) as T;
}

interface JobDetails {
  readonly state: string;
  readonly vertices: readonly { readonly id: string; readonly name: string; readonly parallelism: number }[];
}

/** When the last subtask of a job began to run, in milliseconds since the epoch; `undefined` while there is one that does not. */
export async function allRunningSinceMs(restUrl: string, jobId: string): Promise<number | undefined> {
  const { vertices } = await restJson<JobDetails>(restUrl, `/jobs/${jobId}`);
  let latest = 0;
  for (const { id } of vertices) {
    const { subtasks } = await restJson<{ readonly subtasks: readonly { readonly timestamps: Readonly<Record<string, number>> }[] }>(restUrl, `/jobs/${jobId}/vertices/${id}/subtasktimes`);
    for (const { timestamps } of subtasks) {
      const runningMs = timestamps["RUNNING"] ?? 0;
      if (runningMs <= 0) return undefined;
      latest = Math.max(latest, runningMs);
    }
  }
  return latest;
}

export async function newestJobId(restUrl: string): Promise<string> {
  const { jobs } = await restJson<{ readonly jobs: readonly { readonly jid: string; readonly "start-time": number }[] }>(restUrl, "/jobs/overview");
  const [newest] = [...jobs].sort((a, b) => b["start-time"] - a["start-time"]);
  if (newest === undefined) throw new Error("the cluster has no job");
  return newest.jid;
}

export async function completedCheckpoints(restUrl: string, jobId: string): Promise<number> {
  const { counts } = await restJson<{ readonly counts: { readonly completed: number } }>(restUrl, `/jobs/${jobId}/checkpoints`);
  return counts.completed;
}

/** Sets how wide every vertex is to be. */
export async function rescale(restUrl: string, jobId: string, parallelism: number): Promise<void> {
  const { vertices } = await restJson<JobDetails>(restUrl, `/jobs/${jobId}`);
  const body = Object.fromEntries(vertices.map(({ id }) => [id, { parallelism: { lowerBound: parallelism, upperBound: parallelism } }]));
  await restJson(restUrl, `/jobs/${jobId}/resource-requirements`, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

/** The most that processes had resident, summed. */
export function peakRssKb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + highWaterKb(pid), 0);
}

export async function freeSlots(restUrl: string): Promise<ReadonlyMap<string, number>> {
  const { taskmanagers } = await restJson<{ readonly taskmanagers: readonly { readonly id: string; readonly freeSlots: number }[] }>(restUrl, "/taskmanagers");
  return new Map(taskmanagers.map(({ id, freeSlots }) => [id, freeSlots]));
}

/** Resolves once a condition holds. @throws when it does not within two minutes */
export async function until(what: string, condition: () => boolean | Promise<boolean>, everyMs: number = 20): Promise<void> {
  const endMs = performance.now() + 120_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
