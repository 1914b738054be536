import { Interrupted, sleep } from "../world/waiting.js";
import { between, type Fault, type FaultContext } from "./fault.js";

const MOST_AT_ONCE = 3;
const SHORTEST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 4500;
const MOST_OVERTIME_MS = 90_000;

/**
 * Strikes for so long, up to three faults at a time: each kind once in an order of its own, then all of them again. Resolves when the last of them is over.
 * @param mustStrikeAll goes on, for a while, until each kind has happened
 * @throws what a fault throws that is not the product's doing
 */
export async function strikeFor(ms: number, faults: readonly Fault[], context: FaultContext, mustStrikeAll: boolean): Promise<void> {
  const { random, journal, signal, job } = context;
  const endMs = performance.now() + ms;
  const isOver = (): boolean => performance.now() >= endMs && !(mustStrikeAll && performance.now() < endMs + MOST_OVERTIME_MS && faults.some(({ name }) => !journal.struck.has(name)));
  const active = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let deck: Fault[] = [];
  try {
    while (!isOver() && failures.length === 0) {
      job.check();
      await sleep(between(random, SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS), signal);
      if (active.size >= MOST_AT_ONCE || isOver()) continue;
      // In overtime only what has not happened yet.
      if (deck.length === 0) deck = shuffled(performance.now() < endMs ? faults : faults.filter(({ name }) => !journal.struck.has(name)), random);
      const fault = deck.shift()!;
      const before = journal.struck.get(fault.name) ?? 0;
      const strike: Promise<void> = fault.strike(context).then(
        // Nobody was there to strike: its turn comes again.
        () => void ((journal.struck.get(fault.name) ?? 0) === before && deck.push(fault)),
        (error: unknown) => void failures.push(error),
      ).finally(() => active.delete(strike));
      active.add(strike);
    }
  } finally {
    await Promise.all(active);
  }
  const failure = failures.find((error) => !(error instanceof Interrupted));
  if (failure !== undefined) throw failure;
  if (signal.aborted) throw new Interrupted();
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, at: random() })).toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
