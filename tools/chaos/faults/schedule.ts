import { Interrupted, sleep } from "../world/waiting.js";
import { between, type Fault, type FaultContext, type FaultName } from "./fault.js";

const MOST_AT_ONCE = 3;
const SHORTEST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 4500;
const MOST_OVERTIME_MS = 180_000;

/**
 * Strikes for so long, up to three faults at a time: what is owed first, in an order of its own, then the others, then all of them again. Resolves when the last of them is over.
 * @param owed goes on, for a while, until each of these has happened
 * @throws what a fault throws that is not the product's doing
 */
export async function strikeFor(ms: number, faults: readonly Fault[], context: FaultContext, owed: ReadonlySet<FaultName>): Promise<void> {
  const { random, journal, signal, job } = context;
  const endMs = performance.now() + ms;
  const isOwed = ({ name }: Fault): boolean => owed.has(name) && !journal.struck.has(name);
  const isOver = (): boolean => performance.now() >= endMs && !(performance.now() < endMs + MOST_OVERTIME_MS && faults.some(isOwed));
  const active = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let deck: Fault[] = [];
  try {
    while (!isOver() && failures.length === 0) {
      job.check();
      await sleep(between(random, SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS), signal);
      if (active.size >= MOST_AT_ONCE || isOver()) continue;
      const isOvertime = performance.now() >= endMs;
      if (deck.length === 0 || isOvertime) deck = [...shuffled(faults.filter(isOwed), random), ...(isOvertime ? [] : shuffled(faults.filter((fault) => !isOwed(fault)), random))];
      const fault = deck.shift();
      if (fault === undefined) continue;
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
