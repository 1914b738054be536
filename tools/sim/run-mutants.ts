import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { applyMutant, editsOf } from "./mutants/apply.mjs";
import { mutants, type Mutant } from "./mutants/mutants.mjs";
import { runSeeds } from "./seed-pool.js";

/** Seeds without faults that a mutant must pass: only what the faults uncover shows that the simulation is needed. */
const QUIET_SEEDS = 20;
const VERDICTS = new URL("./mutants/verdicts.json", import.meta.url);

/** What is known of a mutant; without `killedBy`, so far. */
interface Verdict {
  /** Seeds without faults that it has passed. */
  quiet: number;
  /** Seeds with faults that it has passed. */
  passed: number;
  killedBy?: { readonly seed: number; readonly withFaults: boolean; readonly violation: string };
}

export interface MutantRun {
  readonly processes: number;
  /** With faults, for each mutant, until it is noticed. */
  readonly seeds: number;
  /** The first of those that are still to be tried. */
  readonly from: number;
  /** No seed is begun later. */
  readonly minutes: number;
  /** Forgets what is known of the mutants. */
  readonly again: boolean;
}

/**
 * Runs the product with one of its safeguards taken away, each mutant in a process, and writes down what came out; what is known already is not run
 * again. True when at least 95 % are noticed, all of them by faults alone, and those that are not are explained.
 */
export async function runMutants(ids: readonly string[], { processes, seeds, from, minutes, again }: MutantRun): Promise<boolean> {
  const verdicts = known();
  const wanted = mutants.filter(({ id }) => ids.length === 0 || ids.includes(id));
  if (again) for (const { id } of wanted) verdicts.delete(id);
  const untilMs = performance.now() + minutes * 60_000;
  // Those that are said to survive take longest.
  const waiting = wanted.filter(({ id }) => !isDone(verdicts.get(id), seeds)).sort((a, b) => Number(a.survives !== undefined) - Number(b.survives !== undefined));
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined && performance.now() < untilMs; mutant = waiting.shift()) {
      const verdict = await judge(mutant, verdicts.get(mutant.id) ?? { quiet: 0, passed: 0 }, { seeds, from }, untilMs);
      save(mutant.id, verdict);
      console.log(describe(mutant, verdict));
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  return summary(known(), seeds);
}

/** Whether each mutant still fits the built code. @throws when one does not */
export function checkMutants(): void {
  for (const mutant of mutants) {
    for (const { file } of editsOf(mutant)) applyMutant(mutant, file, readFileSync(new URL(`../../packages/${file}`, import.meta.url), "utf8"));
  }
}

function isDone(verdict: Verdict | undefined, seeds: number): boolean {
  return verdict !== undefined && (verdict.killedBy !== undefined || verdict.passed >= seeds);
}

async function judge(mutant: Mutant, before: Verdict, { seeds, from }: Pick<MutantRun, "seeds" | "from">, untilMs: number): Promise<Verdict> {
  const verdict = { ...before };
  const ahead = Math.max(0, from - 1 - before.passed);
  const next = (): { readonly seed: number; readonly withFaults: boolean } => (verdict.quiet < QUIET_SEEDS ? { seed: verdict.quiet + 1, withFaults: false } : { seed: ahead + verdict.passed + 1, withFaults: true });
  function* requests(): Generator<ReturnType<typeof next>> {
    while (!isDone(verdict, seeds) && performance.now() < untilMs) yield next();
  }
  await runSeeds(requests(), {
    processes: 1, mutant: mutant.id,
    onAnswer: ({ request: { seed, withFaults }, outcome: { violations: [violation] } }) => {
      if (violation !== undefined) verdict.killedBy = { seed, withFaults, violation: violation.split("\n", 1)[0]!.slice(0, 160) };
      else if (withFaults) verdict.passed++;
      else verdict.quiet++;
      // Whatever ends this run, the next one goes on from here.
      save(mutant.id, verdict);
      return violation === undefined;
    },
  }).catch((error: unknown) => {
    const { message } = error as Error;
    if (message.endsWith("hangs")) verdict.killedBy = { ...next(), violation: `never ends: ${message}` };
    else console.log(`${mutant.id}: ${message}`);
  });
  return verdict;
}

function known(): Map<string, Verdict> {
  return new Map(Object.entries(existsSync(VERDICTS) ? (JSON.parse(readFileSync(VERDICTS, "utf8")) as Record<string, Verdict>) : {}));
}

/** Others may write down theirs meanwhile. */
function save(id: string, verdict: Verdict): void {
  const verdicts = known().set(id, verdict);
  const lines = mutants.filter((mutant) => verdicts.has(mutant.id)).map((mutant) => `  ${JSON.stringify(mutant.id)}: ${JSON.stringify(verdicts.get(mutant.id))}`);
  const written = new URL(`${VERDICTS.href}.${process.pid}`);
  writeFileSync(written, `{\n${lines.join(",\n")}\n}\n`);
  renameSync(written, VERDICTS);
}

function describe({ id, survives }: Mutant, { quiet, passed, killedBy }: Verdict): string {
  if (killedBy === undefined) return `so far    ${id}: passed ${quiet} seeds without faults and ${passed} with; ${survives ?? "nobody says why"}`;
  return `noticed   ${id} ${killedBy.withFaults ? `by seed ${killedBy.seed}, after ${passed} others` : "WITHOUT FAULTS"}: ${killedBy.violation}`;
}

function summary(verdicts: ReadonlyMap<string, Verdict>, seeds: number): boolean {
  const named = (which: (verdict: Verdict | undefined, mutant: Mutant) => boolean): string[] => mutants.filter((mutant) => which(verdicts.get(mutant.id), mutant)).map(({ id }) => id);
  const noticed = named((verdict) => verdict?.killedBy?.withFaults === true);
  const lists = {
    "noticed even without faults": named((verdict) => verdict?.killedBy?.withFaults === false),
    "survived, and explained": named((verdict, { survives }) => verdict?.killedBy === undefined && verdict !== undefined && verdict.passed >= seeds && survives !== undefined),
    "survived, not explained": named((verdict, { survives }) => verdict?.killedBy === undefined && verdict !== undefined && verdict.passed >= seeds && survives === undefined),
    "not known yet": named((verdict) => !isDone(verdict, seeds)),
  };
  console.log(`${noticed.length} of ${mutants.length} mutants noticed by faults alone (${((100 * noticed.length) / mutants.length).toFixed(1)} %)`);
  for (const [what, ids] of Object.entries(lists)) console.log(`${what}: ${ids.join(", ") || "none"}`);
  return noticed.length >= 0.95 * mutants.length && lists["survived, not explained"].length === 0;
}

/** The verdicts as a table for the documentation. */
export function verdictTable(): string {
  const verdicts = JSON.parse(readFileSync(VERDICTS, "utf8")) as Record<string, Verdict>;
  const rows = mutants.map(({ id, against, survives }) => {
    const killedBy = verdicts[id]?.killedBy;
    const noticed = killedBy === undefined ? (survives === undefined ? "not known" : `survives: ${survives}`) : killedBy.violation.split(/[:\d"/]/, 1)[0]!.trim();
    return `| \`${id}\` | ${against} | ${killedBy === undefined ? "–" : killedBy.withFaults ? killedBy.seed : "quiet"} | ${noticed} |`;
  });
  return ["| mutant | against | seed | noticed by |", "|---|---|---|---|", ...rows].join("\n");
}
