import { Complaints } from "./check-totals.js";
import { WINDOW_MS, formatWindow, parseEntry, parseWindow, type Entry } from "./entries.js";

/**
 * Holds windows against a sequential oracle: each entry is in its window's one result or among the late ones, once. Returns what is wrong.
 * @param late entries that came behind their window; `undefined` when none may
 */
export function checkWindows(entries: readonly Entry[], lines: readonly string[], late: readonly string[] | undefined): string[] {
  const complaints = new Complaints();
  const open = new Map<string, { count: number; sum: number }>();
  const take = (key: string, startMs: number, count: number, sum: number): { readonly count: number; readonly sum: number } => {
    const id = `${key} ${startMs}`;
    const window = open.get(id) ?? { count: 0, sum: 0 };
    open.set(id, window);
    window.count += count;
    window.sum += sum;
    return window;
  };
  for (const { key, timeMs, amount } of entries) take(key, startOf(timeMs), 1, amount);
  const fired = new Set<string>();
  for (const line of lines) {
    const { key, startMs, count, sum } = parseWindow(line);
    const id = `${key} ${startMs}`;
    if (fired.has(id)) complaints.add("windows fired more than once", line);
    fired.add(id);
    take(key, startMs, -count, -sum);
  }
  for (const line of late ?? []) {
    const { key, timeMs, amount } = parseEntry(line);
    take(key, startOf(timeMs), -1, -amount);
  }
  for (const [id, { count, sum }] of open) {
    if (count === 0 && sum === 0) continue;
    const [key = "", startMs] = id.split(" ");
    const window = formatWindow({ key, startMs: Number(startMs), count, sum });
    complaints.add(count > 0 ? "entries are missing in windows" : count < 0 ? "windows hold entries too often" : "windows have wrong sums", `${window} too ${count < 0 ? "many" : "few"}`);
  }
  return complaints.lines();
}

function startOf(timeMs: number): number {
  return timeMs - (timeMs % WINDOW_MS);
}
