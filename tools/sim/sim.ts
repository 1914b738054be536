// Runs simulated clusters: `npm run sim -- --seeds 2000 [--from S] [--no-faults] [--processes P]`, `--seed S [--trace]` for one, `--mutants [--only ID]… [--minutes M] [--again]`, `--mutants --table`.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { drawScenario, runScenario } from "../../e2e/simulation/run-seed.js";
import { Report } from "./report.js";
import { runMutants, verdictTable } from "./run-mutants.js";
import { runSeeds } from "./seed-pool.js";
import { shrink } from "./shrink.js";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" }, from: { type: "string", default: "1" }, seed: { type: "string" }, trace: { type: "boolean", default: false },
    "no-faults": { type: "boolean", default: false }, "no-shrink": { type: "boolean", default: false }, mutants: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] }, again: { type: "boolean", default: false }, minutes: { type: "string", default: "1000" }, table: { type: "boolean", default: false },
    processes: { type: "string", default: String(availableParallelism()) }, "most-failures": { type: "string", default: "5" },
  },
});
const withFaults = !values["no-faults"];
const processes = Number(values.processes);

if (values.mutants && values.table) console.log(verdictTable());
else if (values.mutants) process.exitCode = (await runMutants(values.only, { processes, seeds: Number(values.seeds), minutes: Number(values.minutes), again: values.again })) ? 0 : 1;
else if (values.seed !== undefined) process.exitCode = (await runOne(Number(values.seed))) ? 0 : 1;
else process.exitCode = (await runMany(Number(values.from), Number(values.seeds))) ? 0 : 1;

/** One seed, with its trace when that is wanted. */
async function runOne(seed: number): Promise<boolean> {
  const drawn = drawScenario(seed);
  const outcome = await runScenario(withFaults ? drawn : { ...drawn, faults: [] }, { keepsTrace: values.trace });
  if (values.trace) console.log(outcome.trace.join("\n"));
  console.log(`seed ${seed}: trace hash ${outcome.hash}, ${outcome.events} events in ${outcome.virtualMs} ms of virtual time, ${outcome.completedCheckpoints} complete checkpoints`);
  for (const violation of outcome.violations) console.log(`  violation: ${violation}`);
  return outcome.violations.length === 0;
}

async function runMany(from: number, count: number): Promise<boolean> {
  const report = new Report();
  const failed: { readonly seed: number; readonly violation: string }[] = [];
  const startedMs = performance.now();
  const untilMs = startedMs + Number(values.minutes) * 60_000;
  const seeds = Array.from({ length: count }, (_, index) => ({ seed: from + index, withFaults }));
  await runSeeds(seeds, {
    processes,
    onAnswer: ({ request: { seed }, outcome }) => {
      report.add(outcome);
      const [violation] = outcome.violations;
      if (violation === undefined) return performance.now() < untilMs;
      console.log(`seed ${seed} FAILED: ${violation}`);
      failed.push({ seed, violation });
      return failed.length < Number(values["most-failures"]);
    },
  });
  for (const line of report.lines(performance.now() - startedMs)) console.log(line);
  const [first] = failed.sort((a, b) => a.seed - b.seed);
  if (first !== undefined && withFaults && !values["no-shrink"]) await showShrunk(first.seed, first.violation);
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
