import type { PipelineSpec } from "../../e2e/simulation/job/job-spec.js";
import { runScenario, type Scenario } from "../../e2e/simulation/run-seed.js";

/** Runs that a shrinking may take. */
const MOST_RUNS = 250;

/** A smaller scenario that fails in the same way: fewer faults, then fewer TaskManagers, stages, sources and records. */
export async function shrink(scenario: Scenario, violation: string): Promise<{ readonly scenario: Scenario; readonly runs: number }> {
  let smallest = scenario;
  let runs = 0;
  for (let before: Scenario | undefined; before !== smallest && runs < MOST_RUNS; ) {
    before = smallest;
    for (const candidate of smaller(before)) {
      if (runs >= MOST_RUNS) break;
      runs++;
      if (!(await fails(candidate, violation))) continue;
      smallest = candidate;
      break;
    }
  }
  return { scenario: smallest, runs };
}

/** Numbers and names differ from run to run. */
function kindOf(violation: string): string {
  return violation.split(/[\d"/]/, 1)[0]!;
}

async function fails(scenario: Scenario, violation: string): Promise<boolean> {
  const { violations } = await runScenario(scenario).catch(() => ({ violations: [] as string[] }));
  return violations.some((other) => kindOf(other) === kindOf(violation));
}

function* smaller(scenario: Scenario): Generator<Scenario> {
  const { faults, job, cluster } = scenario;
  const { taskManagers, jobManagers } = cluster;
  for (let size = faults.length; size >= 1; size = size >> 1) {
    for (let at = 0; at < faults.length; at += size) yield { ...scenario, faults: faults.filter((_, index) => index < at || index >= at + size) };
  }
  for (const [index, count] of taskManagers.entries()) {
    if (index > 0 && index === taskManagers.length - 1 && isUnused(scenario, `tm${index}`)) yield { ...scenario, cluster: { ...cluster, taskManagers: taskManagers.slice(0, -1) } };
    if (count > 2) yield { ...scenario, cluster: { ...cluster, taskManagers: taskManagers.with(index, count - 1) } };
  }
  if (jobManagers > 2 && isUnused(scenario, `jm${jobManagers - 1}`)) yield { ...scenario, cluster: { ...cluster, jobManagers: jobManagers - 1 } };
  if (job.pipelines.length > 1) for (const pipeline of job.pipelines) yield { ...scenario, job: { ...job, pipelines: [pipeline] } };
  for (const [at, pipeline] of job.pipelines.entries()) {
    for (const less of smallerPipelines(pipeline)) yield { ...scenario, job: { ...job, pipelines: job.pipelines.with(at, less) } };
  }
  for (const option of Object.keys(job.config)) if (removable.test(option)) yield { ...scenario, job: { ...job, config: Object.fromEntries(Object.entries(job.config).filter(([key]) => key !== option)) } };
}

/** Options that a job can do without. */
const removable = /unaligned|aligned|scheduler|failover-strategy|chain/;

function isUnused({ faults }: Scenario, unused: string): boolean {
  return faults.every(({ host, other }) => host !== unused && other !== unused);
}

function* smallerPipelines(pipeline: PipelineSpec): Generator<PipelineSpec> {
  const { sources, stages, sinks } = pipeline;
  if (sinks.length > 1) for (const sink of sinks) yield { ...pipeline, sinks: [sink] };
  for (const index of stages.keys()) yield { ...pipeline, stages: stages.toSpliced(index, 1), sinks: sinks.map((after) => (after > index ? after - 1 : after)) };
  for (const [index, source] of sources.entries()) {
    if (sources.length > 1) yield { ...pipeline, sources: sources.toSpliced(index, 1) };
    if (source.splits > 1) yield { ...pipeline, sources: sources.with(index, { ...source, splits: source.splits >> 1 }) };
    if (source.recordsPerSplit > 5) yield { ...pipeline, sources: sources.with(index, { ...source, recordsPerSplit: source.recordsPerSplit >> 1 }) };
  }
}
