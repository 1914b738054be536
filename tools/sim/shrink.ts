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
  const { faults, job, taskManagers } = scenario;
  for (let size = faults.length; size >= 1; size = size >> 1) {
    for (let at = 0; at < faults.length; at += size) yield { ...scenario, faults: faults.filter((_, index) => index < at || index >= at + size) };
  }
  for (const [index, count] of taskManagers.entries()) {
    if (index > 0 && index === taskManagers.length - 1 && faults.every(({ host, other }) => host !== `tm${index}` && other !== `tm${index}`)) yield { ...scenario, taskManagers: taskManagers.slice(0, -1) };
    if (count > 2) yield { ...scenario, taskManagers: taskManagers.with(index, count - 1) };
  }
  if (job.sinks.length > 1) for (const sink of job.sinks) yield { ...scenario, job: { ...job, sinks: [sink] } };
  for (const index of job.stages.keys()) {
    yield { ...scenario, job: { ...job, stages: job.stages.toSpliced(index, 1), sinks: job.sinks.map((after) => (after > index ? after - 1 : after)) } };
  }
  for (const [index, source] of job.sources.entries()) {
    if (job.sources.length > 1) yield { ...scenario, job: { ...job, sources: job.sources.toSpliced(index, 1) } };
    if (source.splits > 1) yield { ...scenario, job: { ...job, sources: job.sources.with(index, { ...source, splits: source.splits >> 1 }) } };
    if (source.recordsPerSplit > 5) yield { ...scenario, job: { ...job, sources: job.sources.with(index, { ...source, recordsPerSplit: source.recordsPerSplit >> 1 }) } };
  }
}
