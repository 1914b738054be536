// Real clusters, real faults: `npm run chaos -- --help`.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { readArguments } from "../command-line/arguments.js";
import { parseArguments, usage, type ChaosArguments } from "./arguments.js";
import { inOwnNamespace } from "./namespace.js";
import { paint } from "./report/live-status.js";
import { missingFaults, owedFaults, summaryLines, type RunResult } from "./report/summary.js";
import { Run } from "./run.js";
import { Interrupted } from "./world/waiting.js";
import type { HighAvailability } from "./world/world.js";

/** Of each scenario in the time that they share. */
const weights: Readonly<Record<string, number>> = { files: 2 };

const LOG_LINES = 60;

const wanted = readArguments(parseArguments, usage);
// A verdict is not kept back by what a client or a proxy has left open.
process.exit((await inOwnNamespace()) ?? (await runAll(wanted)));

async function runAll(args: ChaosArguments): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (!interruption.signal.aborted) console.error("stopping all processes …");
      interruption.abort();
    });
  }
  const totalWeight = args.scenarios.reduce((sum, { name }) => sum + (weights[name] ?? 1), 0);
  const results: RunResult[] = [];
  for (const [index, scenario] of args.scenarios.entries()) {
    const seed = args.seed + index;
    const durationMs = (args.minutes * 60_000 * (weights[scenario.name] ?? 1)) / totalWeight;
    const run = new Run({
      scenario, seed, durationMs, highAvailability: args.highAvailability ?? drawn(seed), slotIsolation: args.slotIsolation, faults: args.faults,
      owed: owedFaults(args.minutes, args.faults, results), ratePerSecond: args.ratePerSecond, taskManagers: args.taskManagers, verbose: args.verbose, isPlain: args.ci, keep: args.keep, signal: interruption.signal,
    });
    try {
      const result = await run.run();
      results.push(result);
      tell(result, args);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      console.error("interrupted: all processes are gone, and what they wrote");
      return 130;
    }
  }
  return verdict(results);
}

/** Neighbouring seeds have different ones. */
function drawn(seed: number): HighAvailability {
  return Math.floor(seed) % 2 === 0 ? "file" : "zookeeper";
}

function tell({ scenario, seed, minutes, highAvailability, complaints, keptIn, records }: RunResult, { ratePerSecond, taskManagers, slotIsolation, ci }: ChaosArguments): void {
  if (complaints.length === 0) return console.log(`${scenario}: ${paint(process.stdout, "green", "passed")}, ${records} records, each once${keptIn === undefined ? "" : `; kept in ${keptIn}`}`);
  console.log(`${scenario}: ${paint(process.stdout, "red", "FAILED")}`);
  for (const complaint of complaints) console.log(`  ${complaint}`);
  console.log(`  logs and outputs: ${keptIn}`);
  console.log(`  again: npm run chaos -- --scenario ${scenario} --seed ${seed} --ha ${highAvailability} --minutes ${Math.round(minutes * 100) / 100} --rate ${ratePerSecond} --task-managers ${taskManagers}${slotIsolation === undefined ? "" : ` --slots ${slotIsolation}`} --verbose`);
  if (ci && keptIn !== undefined) tellLogs(keptIn);
}

/** The folder goes with the machine. */
function tellLogs(directory: string): void {
  const logs = join(directory, "logs");
  const files = [join(directory, "journal.log"), ...(existsSync(logs) ? readdirSync(logs).map((name) => join(logs, name)) : [])];
  for (const file of files) console.log(`\n----- ${basename(file)}\n${readFileSync(file, "utf8").trimEnd().split("\n").slice(-LOG_LINES).join("\n")}`);
}

function verdict(results: readonly RunResult[]): number {
  console.log(`\n${summaryLines(results).join("\n")}\n`);
  const missing = missingFaults(results);
  for (const name of missing) console.log(`idle: ${name} never happened`);
  const failed = results.filter(({ complaints }) => complaints.length > 0);
  const passed = failed.length === 0 && missing.length === 0;
  console.log(passed ? paint(process.stdout, "green", "PASSED") : paint(process.stdout, "red", `FAILED${failed.length === 0 ? "" : `: ${failed.map(({ scenario }) => scenario).join(", ")}`}`));
  return passed ? 0 : 1;
}
