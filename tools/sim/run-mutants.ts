import { readFileSync } from "node:fs";
import { applyMutant } from "./mutants/apply.mjs";
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

/** Runs the product with one of its safeguards taken away, one mutant after the other. True when at least 95 % are noticed and all that are not are explained. */
export async function runMutants(ids: readonly string[], { processes, seeds }: { readonly processes: number; readonly seeds: number }): Promise<boolean> {
  const chosen = mutants.filter(({ id }) => ids.length === 0 || ids.includes(id));
  const verdicts: Verdict[] = [];
  for (const mutant of chosen) {
    const verdict = await judge(mutant, processes, seeds);
    verdicts.push(verdict);
    console.log(describe(verdict));
  }
  const killed = verdicts.filter(({ killedBy }) => killedBy !== undefined).length;
  const loud = verdicts.filter(({ loud: isLoud }) => isLoud).length;
  const unexplained = verdicts.filter(({ killedBy, mutant }) => killedBy === undefined && mutant.survives === undefined);
  console.log(`${killed} of ${verdicts.length} mutants killed (${((100 * killed) / verdicts.length).toFixed(1)} %), ${loud} of them without faults; unexplained survivors: ${unexplained.map(({ mutant }) => mutant.id).join(", ") || "none"}`);
  return killed >= 0.95 * verdicts.length && unexplained.length === 0;
}

/** Whether each mutant still fits the built code. @throws when one does not */
export function checkMutants(): void {
  for (const mutant of mutants) applyMutant(mutant, readFileSync(new URL(`../../packages/${mutant.file}`, import.meta.url), "utf8"));
}

async function judge(mutant: Mutant, processes: number, seeds: number): Promise<Verdict> {
  const quiet = await firstFailure(mutant, processes, QUIET_SEEDS, false);
  const killedBy = quiet ?? (await firstFailure(mutant, processes, seeds, true));
  return { mutant, killedBy, loud: quiet !== undefined };
}

async function firstFailure(mutant: Mutant, processes: number, count: number, withFaults: boolean): Promise<Verdict["killedBy"]> {
  let found: Verdict["killedBy"];
  let run = 0;
  await runSeeds(Array.from({ length: count }, (_, index) => index + 1), {
    processes, withFaults, mutant: mutant.id,
    onAnswer: ({ seed, outcome: { violations } }) => {
      run++;
      if (violations[0] !== undefined) found ??= { seed, violation: violations[0], seeds: run };
      return found === undefined;
    },
  }).catch((error: unknown) => {
    found ??= { seed: 0, violation: `the run broke off: ${(error as Error).message}`, seeds: run };
  });
  return found;
}

function describe({ mutant, killedBy, loud }: Verdict): string {
  if (killedBy === undefined) return `SURVIVED ${mutant.id}: ${mutant.survives ?? "nobody says why"}`;
  return `killed   ${mutant.id} by seed ${killedBy.seed}${loud ? " WITHOUT FAULTS" : ""} after ${killedBy.seeds} seeds: ${killedBy.violation.split("\n", 1)[0]!.slice(0, 140)}`;
}
