// Simulated clusters: `npm run sim -- --help`.
import { drawScenario, runScenario } from "../../e2e/simulation/run-seed.js";
import { readArguments } from "../command-line/arguments.js";
import { parseArguments, usage, type SimArguments } from "./arguments.js";
import { Report } from "./report.js";
import { runMutants, verdictTable } from "./run-mutants.js";
import { runSeeds } from "./seed-pool.js";
import { shrink } from "./shrink.js";

const wanted = readArguments(parseArguments, usage);
process.exitCode = (await run()) ? 0 : 1;

async function run(): Promise<boolean> {
  if (wanted.mutants && wanted.table) {
    console.log(verdictTable());
    return true;
  }
  if (wanted.mutants) return runMutants(wanted.only, wanted);
  return wanted.seed !== undefined ? runOne(wanted.seed) : runMany(wanted);
}

/** One seed, with its trace when that is wanted. */
async function runOne(seed: number): Promise<boolean> {
  const drawn = drawScenario(seed);
  const outcome = await runScenario(wanted.withFaults ? drawn : { ...drawn, faults: [] }, { keepsTrace: wanted.trace });
  if (wanted.trace) console.log(outcome.trace.join("\n"));
  console.log(`seed ${seed}: trace hash ${outcome.hash}, ${outcome.events} events in ${outcome.virtualMs} ms of virtual time, ${outcome.completedCheckpoints} complete checkpoints`);
  for (const violation of outcome.violations) console.log(`  violation: ${violation}`);
  return outcome.violations.length === 0;
}

async function runMany({ from, seeds: count, withFaults, processes, minutes, mostFailures, shrinks }: SimArguments): Promise<boolean> {
  const report = new Report();
  const failed: { readonly seed: number; readonly violation: string }[] = [];
  const startedMs = performance.now();
  const untilMs = startedMs + minutes * 60_000;
  const seeds = Array.from({ length: count }, (_, index) => ({ seed: from + index, withFaults }));
  await runSeeds(seeds, {
    processes,
    onAnswer: ({ request: { seed }, outcome }) => {
      report.add(outcome);
      const [violation] = outcome.violations;
      if (violation === undefined) return performance.now() < untilMs;
      console.log(`seed ${seed} FAILED: ${violation}`);
      failed.push({ seed, violation });
      return failed.length < mostFailures;
    },
  });
  for (const line of report.lines(performance.now() - startedMs)) console.log(line);
  const [first] = failed.sort((a, b) => a.seed - b.seed);
  if (first !== undefined && withFaults && shrinks) await showShrunk(first.seed, first.violation);
  const idle = withFaults && count >= 200 && first === undefined ? report.idle : [];
  for (const line of idle) console.log(`idle: ${line}`);
  return first === undefined && idle.length === 0;
}

async function showShrunk(seed: number, violation: string): Promise<void> {
  console.log(`shrinking seed ${seed} …`);
  const { scenario, runs } = await shrink(drawScenario(seed), violation);
  const { trace, violations } = await runScenario(scenario, { keepsTrace: true });
  console.log(`after ${runs} runs: ${JSON.stringify({ ...scenario, job: { ...scenario.job, config: undefined } })}`);
  console.log(trace.join("\n"));
  console.log(`seed ${seed}: ${violations[0]}`);
}
