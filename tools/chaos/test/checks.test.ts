import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@millrace/testkit";
import { checkLatest } from "../check/check-latest.js";
import { checkTotals } from "../check/check-totals.js";
import { checkWindows } from "../check/check-windows.js";
import { EntryMaker, WINDOW_MS, formatEntry, formatTotal, formatWindow, parseTotal, type Entry } from "../check/entries.js";

/* A checker that has never found anything proves nothing: it is shown each thing that can be wrong. */
const maker = new EntryMaker(seededRandom(1));
const entries = Array.from({ length: 2000 }, () => maker.next());
const strict = { inputInOrder: true, outputInOrder: true };

function totalsOf(taken: readonly Entry[]): string[] {
  const sums = new Map<string, { count: number; sum: number }>();
  return taken.map(({ key, seq, amount }) => {
    const total = sums.get(key) ?? { count: 0, sum: 0 };
    sums.set(key, total);
    total.count++;
    total.sum += amount;
    return formatTotal({ key, seq, ...total });
  });
}

function windowsOf(taken: readonly Entry[]): string[] {
  const windows = new Map<string, { key: string; startMs: number; count: number; sum: number }>();
  for (const { key, timeMs, amount } of taken) {
    const startMs = timeMs - (timeMs % WINDOW_MS);
    const window = windows.get(`${key} ${startMs}`) ?? { key, startMs, count: 0, sum: 0 };
    windows.set(`${key} ${startMs}`, window);
    window.count++;
    window.sum += amount;
  }
  return [...windows.values()].map(formatWindow);
}

const totals = totalsOf(entries);
const windows = windowsOf(entries);
const other = (line: string, change: (total: ReturnType<typeof parseTotal>) => Partial<ReturnType<typeof parseTotal>>): string => {
  const total = parseTotal(line);
  return formatTotal({ ...total, ...change(total) });
};

test("what is right passes, in any order where none is promised", () => {
  assert.deepEqual(checkTotals(entries, totals, strict), []);
  assert.deepEqual(checkTotals(entries, totals.toReversed(), { inputInOrder: true, outputInOrder: false }), []);
  assert.deepEqual(checkTotals(entries, totalsOf(entries.toReversed()), { inputInOrder: false, outputInOrder: true }), []);
  assert.deepEqual(checkWindows(entries, windows.toReversed(), undefined), []);
  assert.deepEqual(checkWindows(entries, windowsOf(entries.slice(5)), entries.slice(0, 5).map(formatEntry)), []);
});

for (const [what, lines, expected] of [
  ["a lost record", totals.toSpliced(700, 1), /lost: 1 \(/],
  ["a doubled record", totals.toSpliced(700, 0, totals[100]!), /more than once: 1 \(/],
  ["a lost last record", totals.slice(0, -1), /lost: 1 \(/],
  ["state that went back by one record while the output did not", totalsOf(entries.toSpliced(700, 1)).toSpliced(700, 0, totals[700]!), /gaps or repeat|sums are wrong/],
  ["a wrong sum", totals.with(5, other(totals[5]!, ({ sum }) => ({ sum: sum + 1 }))), /sums are wrong: 1 \(/],
  ["a record that was never there", [...totals, "k1 999999 1 1"], /never there: 1/],
  ["a key that was never there", [...totals, "other 0 1 1"], /key that was never there: 1/],
  ["results out of order", totals.toReversed(), /out of order/],
  ["entries taken out of order", totalsOf(entries.toReversed()), /not taken in their order/],
] as const) {
  test(`totals: ${what} is found`, () => assert.match(checkTotals(entries, lines, strict).join("\n"), expected));
}

for (const [what, lines, late, expected] of [
  ["a lost window", windows.slice(1), undefined, /missing in windows: 1 \(/],
  ["a window that fired twice", [...windows, windows[3]!], undefined, /fired more than once: 1 \(/],
  ["an entry that is missing in its window", windowsOf(entries.toSpliced(700, 1)), undefined, /missing in windows: 1 \(/],
  ["an entry that is there twice", windowsOf([...entries, entries[700]!]), undefined, /too often: 1 \(/],
  ["a late entry that is in its window, too", windows, [formatEntry(entries[0]!)], /too often: 1 \(/],
  ["a wrong sum", windowsOf(entries.with(3, { ...entries[3]!, amount: -1 })), undefined, /wrong sums: 1 \(/],
] as const) {
  test(`windows: ${what} is found`, () => assert.match(checkWindows(entries, lines, late).join("\n"), expected));
}

test("the last total of each key", () => {
  const totals = totalsOf(entries);
  const latest = [...new Map(totals.map((line) => [parseTotal(line).key, line])).values()];
  assert.deepEqual(checkLatest(totals, latest), []);
  const [first, ...others] = latest;
  assert.match(checkLatest(totals, others).join("\n"), /^1 keys do not have their last total, such as (\S+) .*: there is no row\n39 rows for 40 keys$/);
  assert.match(checkLatest(totals, [totals.find((line) => line.startsWith(`${parseTotal(first!).key} `))!, ...others]).join("\n"), /^1 keys do not have their last total, such as (\S+) .*: there is \1 /);
  assert.match(checkLatest(totals, [...latest, first!]).join("\n"), /^41 rows for 40 keys$/);
});
