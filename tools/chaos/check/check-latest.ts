import { byKey } from "./check-totals.js";
import { formatTotal, parseTotal } from "./entries.js";

/** Against the totals, which are held against the oracle: the row of each key is the last of its totals. */
export function checkLatest(totals: readonly string[], latest: readonly string[]): string[] {
  const expected = [...byKey(totals.map(parseTotal)).values()].map((ofKey) => formatTotal(ofKey.reduce((a, b) => (b.count > a.count ? b : a))));
  const seen = new Set(latest);
  const missing = expected.filter((line) => !seen.has(line));
  return [
    ...(missing.length === 0 ? [] : [`${missing.length} keys do not have their last total, such as ${missing[0]}: there is ${latest.find((line) => line.startsWith(`${missing[0]!.split(" ")[0]} `)) ?? "no row"}`]),
    ...(latest.length === expected.length ? [] : [`${latest.length} rows for ${expected.length} keys`]),
  ];
}
