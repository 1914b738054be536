import { readFileSync } from "node:fs";
import { applyMutant, editsOf } from "./mutants/apply.mjs";
import { mutants, type Mutant } from "./mutants/mutants.mjs";
import { runSeeds } from "./seed-pool.js";

/** Seeds without faults that a mutant must pass: only what the faults uncover shows that the simulation is needed. */
const QUIET_SEEDS = 20;

interface Verdict {
  readonly mutant: Mutant;
  readonly killedBy: { readonly seed: number; readonly violation: string; readonly seeds: number } | undefined;
  /** It does not even survive without faults. */
  readonly loud: boolean;
}

/** Runs the product with one of its safeguards taken away, each mutant in a process. True when at least 95 % are noticed and all that are not are explained. */
export async function runMutants(ids: readonly string[], { processes, seeds }: { readonly processes: number; readonly seeds: number }): Promise<boolean> {
  const waiting = mutants.filter(({ id }) => ids.length === 0 || ids.includes(id));
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await judge(mutant, seeds);
      verdicts.push(verdict);
      console.log(describe(verdict));
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  const killed = verdicts.filter(({ killedBy }) => killedBy !== undefined).length;
  const loud = verdicts.filter(({ loud: isLoud }) => isLoud);
  const unexplained = verdicts.filter(({ killedBy, mutant }) => killedBy === undefined && mutant.survives === undefined);
  console.log(`${killed} of ${verdicts.length} mutants killed (${((100 * killed) / verdicts.length).toFixed(1)} %); noticed even without faults: ${names(loud)}; unexplained survivors: ${names(unexplained)}`);
  return killed >= 0.95 * verdicts.length && unexplained.length === 0;
}

function names(verdicts: readonly Verdict[]): string {
  return verdicts.map(({ mutant }) => mutant.id).join(", ") || "none";
}

/** Whether each mutant still fits the built code. @throws when one does not */
export function checkMutants(): void {
  for (const mutant of mutants) {
    for (const { file } of editsOf(mutant)) applyMutant(mutant, file, readFileSync(new URL(`../../packages/${file}`, import.meta.url), "utf8"));
  }
}

async function judge(mutant: Mutant, seeds: number): Promise<Verdict> {
  const requests = [
    ...Array.from({ length: QUIET_SEEDS }, (_, index) => ({ seed: index + 1, withFaults: false })),
    ...Array.from({ length: seeds }, (_, index) => ({ seed: index + 1, withFaults: true })),
  ];
  let run = 0;
  let verdict: Verdict = { mutant, killedBy: undefined, loud: false };
  await runSeeds(requests, {
    processes: 1, mutant: mutant.id,
    onAnswer: ({ request: { seed, withFaults }, outcome: { violations } }) => {
      run++;
      if (violations[0] !== undefined) verdict = { mutant, killedBy: { seed, violation: violations[0], seeds: run }, loud: !withFaults };
      return verdict.killedBy === undefined;
    },
  }).catch((error: unknown) => {
    verdict = { mutant, killedBy: { seed: 0, violation: `the run broke off: ${(error as Error).message}`, seeds: run }, loud: run < QUIET_SEEDS };
  });
  return verdict;
}

function describe({ mutant, killedBy, loud }: Verdict): string {
  if (killedBy === undefined) return `SURVIVED ${mutant.id}: ${mutant.survives ?? "nobody says why"}`;
  return `killed   ${mutant.id} by seed ${killedBy.seed}${loud ? " WITHOUT FAULTS" : ""} after ${killedBy.seeds} seeds: ${killedBy.violation.split("\n", 1)[0]!.slice(0, 140)}`;
}
