import { Random, Simulation, type SimulatedProcess } from "@millrace/env-sim";
import type { Pipeline } from "@millrace/graph";
import { randomJob, type JobSpec, type Submission } from "./job/job-spec.js";
import { expectedOutput } from "./job/oracle.js";
import { buildProgram } from "./job/program.js";
import { SimulatedCluster, type ClusterSpec } from "./world/cluster.js";
import { CommitLedger } from "./world/commit-ledger.js";
import { CreditLedger } from "./world/credit-ledger.js";
import { ExternalStore } from "./world/external-store.js";
import { heal, planFaults, strike, type Fault, type FaultKind } from "./world/faults.js";
import { Invariants } from "./world/invariants.js";
import { JobWatch } from "./world/job-watch.js";
import { Operator } from "./world/operator.js";
import { RestartPoints } from "./world/restart-points.js";
import { StoreSink } from "./world/store-sink.js";

/** Everything about a run that is drawn from its seed. Smaller ones are made of it when it fails. */
export interface Scenario {
  readonly seed: number;
  readonly job: JobSpec;
  readonly cluster: ClusterSpec;
  readonly phaseMs: number;
  readonly faults: readonly Fault[];
}

export interface RunOutcome {
  readonly violations: readonly string[];
  readonly hash: string;
  readonly trace: readonly string[];
  readonly events: number;
  readonly virtualMs: number;
  readonly completedCheckpoints: number;
  readonly attempts: number;
  /** What else has happened, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** Faults that struck, by kind, and how many of them after the first complete checkpoint. */
  readonly struck: Readonly<Partial<Record<FaultKind, number>>>;
  readonly afterState: number;
}

/** Without faults jobs last a few seconds; a healed cluster that has not ended its job after this long makes no progress. */
const HEALED_LIMIT_MS = 120_000;
const DRAIN_MS = 3_000;

export function drawScenario(seed: number): Scenario {
  const random = new Random(seed).fork("scenario");
  const job = randomJob(random.fork("job"));
  const cluster = drawCluster(random.fork("cluster"));
  const phaseMs = random.int(1500, 5000);
  return { seed, job, cluster, phaseMs, faults: planFaults(random.fork("faults"), cluster, job, phaseMs) };
}

function drawCluster(random: Random): ClusterSpec {
  const kind = random.pick<ClusterSpec["highAvailability"]["kind"]>(["none", "none", "service", "service", "file"]);
  const intervalMs = random.int(40, 200);
  return {
    jobManagers: kind === "none" ? 1 : random.int(2, 3), highAvailability: { kind, leaseMs: random.int(250, 900) },
    taskManagers: Array.from({ length: random.int(1, 3) }, (_, index) => random.int(index === 0 ? 2 : 1, 3)),
    heartbeat: { intervalMs, timeoutMs: intervalMs * random.int(3, 6) }, evenly: random.chance(0.5),
  };
}

/** Runs a whole cluster and a job on it through a phase of faults and a phase without, and judges what came out. The same scenario gives the same run. */
export async function runScenario(scenario: Scenario, { keepsTrace = false }: { readonly keepsTrace?: boolean } = {}): Promise<RunOutcome> {
  const simulation = new Simulation({ seed: scenario.seed, keepsTrace });
  const rejected = (error: unknown): void => void simulation.uncaught.push(error);
  process.on("unhandledRejection", rejected);
  try {
    return await runIn(simulation, scenario);
  } finally {
    process.off("unhandledRejection", rejected);
  }
}

async function runIn(simulation: Simulation, scenario: Scenario): Promise<RunOutcome> {
  const invariants = new Invariants(simulation);
  const violate = (what: string): void => invariants.violate(what);
  const store = new ExternalStore(simulation, violate);
  const credits = new CreditLedger(violate);
  const commits = new CommitLedger(violate);
  const build = (submission: Submission, process: SimulatedProcess): Pipeline =>
    buildProgram(submission, { clock: process.env.clock, probe: invariants, sink: (index, run) => new StoreSink(store, process, index, run, invariants) });
  const cluster = new SimulatedCluster({
    simulation, spec: scenario.cluster, credits, commits, violate, build: (artifact, thread) => build(JSON.parse(artifact) as Submission, thread),
  });
  const usedCommits = scenario.cluster.highAvailability.kind === "none" ? undefined : commits;
  const expected = expectedOutput(scenario.job);
  const operator = new Operator({
    cluster, spec: scenario.job, build, violate, slots: scenario.cluster.taskManagers.reduce((sum, count) => sum + count, 0),
    begins: (...job) => invariants.begins(...job), restartPoints: new RestartPoints(cluster.disk, store, usedCommits, invariants),
    unprepared: () => store.unprepared,
    undone: () => expected.map((lines, sink) => describeDifference(lines, store.committed(sink))).find((difference) => difference !== undefined),
  });
  const target = { simulation, cluster, job: scenario.job, commits, store, operator, invariants, random: simulation.random("faults") };
  const struck: Partial<Record<FaultKind, number>> = {};
  let afterState = 0;
  invariants.watch(cluster.disk, usedCommits);
  cluster.start();
  operator.start();
  new JobWatch({ simulation, cluster, violate, isConcurrent: Number(scenario.job.config["execution.checkpointing.max-concurrent-checkpoints"]) > 1 }).start();
  for (const fault of scenario.faults) {
    simulation.schedule(fault.atMs * 1000, () => {
      if (operator.finished || !strike(fault, target)) return;
      simulation.note(`FAULT ${fault.kind} ${fault.host} ${fault.other} for ${fault.durationMs} ms`);
      struck[fault.kind] = (struck[fault.kind] ?? 0) + 1;
      if (invariants.completedCheckpoints > 0) afterState++;
    });
  }
  const done = (): boolean => operator.finished || invariants.violations.length > 0 || simulation.uncaught.length > 0;
  const doneEarly = await simulation.run(done, scenario.phaseMs);
  heal(target);
  if (!doneEarly && !(await simulation.run(done, HEALED_LIMIT_MS))) violate(`no progress: the job has not ended ${HEALED_LIMIT_MS / 1000} s after everything was well again`);
  if (invariants.violations.length === 0) {
    // Late messages still come.
    await simulation.run(() => false, DRAIN_MS);
    judge(expected, store, violate);
    for (const path of operator.lent) invariants.checkFiles(cluster.disk, path);
  }
  for (const error of simulation.uncaught) violate(`nobody caught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const jobs = cluster.leader?.dispatcher.list().map(({ jobId }) => cluster.leader!.dispatcher.job(jobId)) ?? [];
  cluster.stop();
  return {
    violations: invariants.violations, hash: simulation.trace.hash, trace: simulation.trace.lines, events: simulation.events, virtualMs: Math.round(simulation.nowMs),
    completedCheckpoints: invariants.completedCheckpoints, attempts: jobs.reduce((sum, { master }) => sum + 1 + master.metrics().restarts, 0), struck, afterState,
    counts: {
      submissions: operator.submissions, savepoints: invariants.savepoints, "checkpoints with records in flight": invariants.inFlightCheckpoints,
      "leaders beyond the first": Math.max(0, commits.leaders - 1), "rescales in place": jobs.reduce((sum, { master }) => sum + master.metrics().rescales, 0),
      "restarts from savepoints": operator.fromSavepoints, claims: operator.claims, "recoveries by another leader": commits.recoveries, "buffers over wires": credits.buffers,
      "buffer sizes announced": credits.bufferSizes,
    },
  };
}

/** The output is that of the sequential oracle, and nothing is left behind. */
function judge(expected: readonly (readonly string[])[], store: ExternalStore, violate: (what: string) => void): void {
  expected.forEach((lines, sink) => {
    const committed = store.committed(sink);
    const difference = describeDifference(lines, committed);
    if (difference !== undefined) violate(`sink ${sink} has ${committed.length} records instead of ${lines.length}: ${difference}`);
  });
  const left = store.leftPrepared;
  if (left.length > 0) violate(`transactions were prepared and left: ${left.join(", ")}`);
}

function describeDifference(expected: readonly string[], actual: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const record of expected) counts.set(record, (counts.get(record) ?? 0) - 1);
  for (const record of actual) counts.set(record, (counts.get(record) ?? 0) + 1);
  const wrong = [...counts].filter(([, count]) => count !== 0);
  if (wrong.length === 0) return undefined;
  return wrong.slice(0, 5).map(([record, count]) => `${record} ${count > 0 ? `${count} too many` : `${-count} missing`}`).join(", ");
}
