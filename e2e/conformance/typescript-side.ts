import { differences } from "./compare.mjs";
import type { Case, CaseResult, Emission, JobSettings } from "./typescript/case.js";
import { deviations } from "./typescript/deviations.js";
import { runStepwise } from "./typescript/run-job.js";

export { deviations };

/** What is committed of a case in `expected/`. */
export interface Expected {
  readonly interleavingMatters: boolean;
  readonly lateDropped: number;
  readonly outputs: readonly Emission[];
}

/** Runs one case of `cases/` on Millrace, one element at a time. */
export function runCase(test: Case, settings: JobSettings = {}): Promise<CaseResult> {
  return runStepwise(test, settings);
}

/** Runs a case and says how it differs from what Flink gave; a known deviation must be exactly what it is said to be. */
export async function checkCase(test: Case, expected: Expected, settings: JobSettings = {}): Promise<string[]> {
  const found = differences(expected, await runCase(test, settings));
  const deviation = deviations.get(test.name);
  if (deviation === undefined) return found;
  if (found.length === 0) return ["is as expected, and still listed as a deviation: take it out of typescript/deviations.ts"];
  return differences(expected, await runCase(deviation(test), settings));
}
