import { formatTotal, parseTotal, type Entry, type Total } from "./entries.js";

/** What is promised of the order. */
export interface Promises {
  /** A key's entries reach the job in their order: the result of each is then known, whatever happens. */
  readonly inputInOrder: boolean;
  /** A key's results stand in the output in the order in which they were made. */
  readonly outputInOrder: boolean;
}

const MOST_COMPLAINTS = 10;

/**
 * Holds running totals against a sequential oracle: each entry has one result, counts go from 1 to the number of the key's entries, and each sum is that of
 * the entries counted so far. Returns what is wrong, some examples of each kind.
 */
export function checkTotals(entries: readonly Entry[], lines: readonly string[], promises: Promises): string[] {
  const complaints = new Complaints();
  const results = byKey(lines.map(parseTotal));
  const expected = byKey(entries);
  for (const key of results.keys()) if (!expected.has(key)) complaints.add("results of a key that was never there", `"${key}"`);
  for (const [key, ofKey] of expected) checkKey(key, ofKey, results.get(key) ?? [], promises, complaints);
  return complaints.lines();
}

function checkKey(key: string, entries: readonly Entry[], totals: readonly Total[], { inputInOrder, outputInOrder }: Promises, complaints: Complaints): void {
  const amounts = new Map(entries.map(({ seq, amount }) => [seq, amount]));
  const seen = new Map<number, number>();
  for (const { seq } of totals) seen.set(seq, (seen.get(seq) ?? 0) + 1);
  for (const { seq } of entries) if (!seen.has(seq)) complaints.add("entries are lost", `${key} ${seq}`);
  for (const [seq, times] of seen) {
    if (!amounts.has(seq)) complaints.add("results of entries that were never there", `${key} ${seq}`);
    else if (times > 1) complaints.add("entries are there more than once", `${key} ${seq}, ${times} times`);
  }
  let sum = 0;
  for (const [index, total] of totals.toSorted((a, b) => a.count - b.count).entries()) {
    sum += amounts.get(total.seq) ?? 0;
    if (total.count !== index + 1) complaints.add("counts have gaps or repeat", `${formatTotal(total)}, as number ${index + 1} of its key`);
    else if (total.sum !== sum) complaints.add("sums are wrong", `${formatTotal(total)}, should be ${sum}`);
    if (inputInOrder && total.count !== total.seq + 1) complaints.add("entries were not taken in their order", formatTotal(total));
  }
  if (!outputInOrder) return;
  for (const [index, total] of totals.entries()) {
    if (index > 0 && total.count <= totals[index - 1]!.count) complaints.add("results are out of order", `${formatTotal(total)} behind ${formatTotal(totals[index - 1]!)}`);
  }
}

/** Counts each kind and keeps the first examples. */
export class Complaints {
  readonly #kinds = new Map<string, { count: number; readonly examples: string[] }>();

  add(kind: string, example: string): void {
    const known = this.#kinds.get(kind) ?? { count: 0, examples: [] };
    this.#kinds.set(kind, known);
    if (++known.count <= MOST_COMPLAINTS) known.examples.push(example);
  }

  lines(): string[] {
    return [...this.#kinds].map(([kind, { count, examples }]) => `${kind}: ${count} (${examples.join("; ")}${count > examples.length ? "; …" : ""})`);
  }
}

export function byKey<T extends { readonly key: string }>(records: Iterable<T>): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const record of records) {
    const group = groups.get(record.key);
    if (group === undefined) groups.set(record.key, [record]);
    else group.push(record);
  }
  return groups;
}
