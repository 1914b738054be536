import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BenchFiles, benchFolder } from "./contestants/bench-files.js";
import { buildPeer } from "./contestants/flink.js";
import { parseOptions, usage, type BenchOptions } from "./options.js";
import { Progress } from "./progress.js";
import { machine } from "./report/machine.js";
import { parseResults } from "./report/earlier-results.js";
import { resultsPage } from "./report/results-page.js";
import { flinkConfig, tablesOf } from "./report/summary.js";
import { textTable } from "./report/table.js";
import { runWork, type WorkResult } from "./run-work.js";
import type { Work } from "./work.js";
import { works } from "./works/index.js";

/** Runs the benchmark; resolves with the exit code. Goals that are missed are no failure: the figures depend on the machine. */
export async function main(argv: readonly string[]): Promise<number> {
  let options: BenchOptions;
  let chosen: readonly Work[];
  try {
    options = parseOptions(argv);
    chosen = choose(options.only);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options.list) {
    console.log(textTable(["work", "goal", "what"], works.map(({ name, goal, title }) => [name, goal, title]), "left"));
    return 0;
  }
  const progress = new Progress();
  const results: WorkResult[] = [];
  let failed = 0;
  const resultsFile = join(benchFolder, "RESULTS.md");
  const earlier = parseResults(await readFile(resultsFile, "utf8").catch(() => ""));
  try {
    if (!options.skipFlink) {
      progress.show("builds the peer");
      await buildPeer();
    }
    for (const [index, work] of chosen.entries()) {
      const result = await runOne(work, options, (what) => progress.show(`${index + 1}/${chosen.length} ${work.name}: ${what}`));
      if (result instanceof Error) {
        progress.clear();
        console.error(`✗ ${work.name}: ${result.message}\n`);
        failed++;
      } else {
        results.push(result);
        // After each work, so that a run that is stopped leaves what it has found out.
        if (options.writeResults) await writeFile(resultsFile, resultsPage(results, `npm run bench -- ${argv.join(" ")}`.trim(), options.runs, earlier));
      }
    }
  } finally {
    progress.clear();
  }
  report(results);
  if (options.jsonFile !== undefined) await writeFile(options.jsonFile, `${JSON.stringify(rawFigures(results, argv), null, 1)}\n`);
  return failed === 0 ? 0 : 1;
}

function choose(only: readonly string[]): readonly Work[] {
  const unknown = only.filter((name) => !works.some((work) => work.name === name));
  if (unknown.length > 0) throw new Error(`there is no work ${unknown.join(", ")}; there are ${works.map((work) => work.name).join(", ")}`);
  return only.length === 0 ? works : works.filter((work) => only.includes(work.name));
}

async function runOne(work: Work, { smoke, runs, scale, skipFlink }: BenchOptions, progress: (what: string) => void): Promise<WorkResult | Error> {
  try {
    return await runWork(work, { smoke, runs, scale, skipFlink, files: new BenchFiles(), progress });
  } catch (error) {
    return error as Error;
  }
}

function report(results: readonly WorkResult[]): void {
  const { figures, costs } = tablesOf(results);
  console.log(Object.entries(machine()).map(([name, value]) => `${name}: ${value}`).join("\n"));
  const config = flinkConfig(results);
  if (config !== undefined) console.log(`Flink: ${JSON.stringify(config)}`);
  console.log(`\n${textTable(figures.header, figures.rows)}\n\n${textTable(costs.header, costs.rows)}`);
}

function rawFigures(results: readonly WorkResult[], argv: readonly string[]): unknown {
  return {
    command: ["npm run bench --", ...argv].join(" "), machine: machine(),
    works: results.map(({ work, size, samples, medians }) => ({ name: work.name, size, medians: Object.fromEntries(medians), runs: Object.fromEntries(samples) })),
  };
}
