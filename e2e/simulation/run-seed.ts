import { Random, Simulation, type SimulatedProcess } from "@millrace/env-sim";
import type { Pipeline } from "@millrace/graph";
import { randomJob, type JobSpec, type Submission } from "./job/job-spec.js";
import { expectedOutput } from "./job/oracle.js";
import { buildProgram } from "./job/program.js";
import { SimulatedCluster } from "./world/cluster.js";
import { CreditLedger } from "./world/credit-ledger.js";
import { ExternalStore } from "./world/external-store.js";
import { heal, planFaults, strike, type Fault, type FaultKind } from "./world/faults.js";
import { Invariants } from "./world/invariants.js";
import { Operator } from "./world/operator.js";
import { StoreSink } from "./world/store-sink.js";

/** Everything about a run that is drawn from its seed. Smaller ones are made of it when it fails. */
export interface Scenario {
  readonly seed: number;
  readonly job: JobSpec;
  readonly taskManagers: readonly number[];
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly evenly: boolean;
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
  readonly submissions: number;
  readonly attempts: number;
  /** Faults that struck, by kind, and how many of them after the first complete checkpoint. */
  readonly struck: Readonly<Partial<Record<FaultKind, number>>>;
  readonly afterState: number;
  readonly buffers: number;
}

/** Without faults jobs last a few seconds; a healed cluster that has not ended its job after this long makes no progress. */
const HEALED_LIMIT_MS = 120_000;
const DRAIN_MS = 3_000;

export function drawScenario(seed: number): Scenario {
  const random = new Random(seed).fork("scenario");
  const job = randomJob(random.fork("job"));
  const taskManagers = Array.from({ length: random.int(1, 3) }, (_, index) => random.int(index === 0 ? 2 : 1, 3));
  const intervalMs = random.int(40, 200);
  const phaseMs = random.int(1000, 4000);
  return {
    seed, job, taskManagers, heartbeat: { intervalMs, timeoutMs: intervalMs * random.int(3, 6) }, evenly: random.chance(0.5), phaseMs,
    faults: planFaults(random.fork("faults"), taskManagers.length, phaseMs),
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
  const ledger = new CreditLedger(violate);
  const build = (submission: Submission, process: SimulatedProcess): Pipeline =>
    buildProgram(submission, { clock: process.env.clock, probe: invariants, sink: (index, run) => new StoreSink(store, process, index, run) });
  const cluster = new SimulatedCluster({
    simulation, taskManagers: scenario.taskManagers, heartbeat: scenario.heartbeat, evenly: scenario.evenly, ledger, violate,
    build: (artifact, thread) => build(JSON.parse(artifact) as Submission, thread),
  });
  const slots = scenario.taskManagers.reduce((sum, count) => sum + count, 0);
  const operator = new Operator({ cluster, spec: scenario.job, build, violate, slots, begins: (...job) => invariants.begins(...job) });
  const target = { simulation, cluster, store, operator, invariants, random: simulation.random("faults") };
  const struck: Partial<Record<FaultKind, number>> = {};
  let afterState = 0;
  invariants.watch(cluster.disk);
  cluster.start();
  operator.start();
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
    judge(scenario.job, store, violate);
  }
  for (const error of simulation.uncaught) violate(`nobody caught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  cluster.stop();
  const { jobManager } = cluster;
  return {
    violations: invariants.violations, hash: simulation.trace.hash, trace: simulation.trace.lines, events: simulation.events, virtualMs: Math.round(simulation.nowMs),
    completedCheckpoints: invariants.completedCheckpoints, submissions: operator.submissions,
    attempts: jobManager?.dispatcher.list().reduce((sum, { jobId }) => sum + 1 + jobManager.dispatcher.job(jobId).master.metrics().restarts, 0) ?? 0,
    struck, afterState, buffers: ledger.buffers,
  };
}

/** The output is that of the sequential oracle, and nothing is left behind. */
function judge(job: JobSpec, store: ExternalStore, violate: (what: string) => void): void {
  expectedOutput(job).forEach((expected, sink) => {
    const committed = store.committed(sink);
    const difference = describeDifference(expected, committed);
    if (difference !== undefined) violate(`sink ${sink} has ${committed.length} records instead of ${expected.length}: ${difference}`);
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
