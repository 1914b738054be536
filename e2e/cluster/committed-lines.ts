import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The first lines that are there too often or not often enough; nothing when there are none. */
export function difference(actual: readonly string[], wanted: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const line of actual) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of wanted) counts.set(line, (counts.get(line) ?? 0) - 1);
  const wrong = [...counts].filter(([, count]) => count !== 0).map(([line, count]) => `${line}: ${count > 0 ? `${count} too often` : `${-count} missing`}`);
  return wrong.length === 0 ? "" : `${wrong.length} lines are wrong:\n${wrong.slice(0, 10).join("\n")}`;
}

/** The lines of all files that are committed, sorted. */
export function committed(directory: string): string[] {
  return readdirSync(directory).filter((name) => !name.startsWith(".")).flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n").filter((line) => line !== "")).sort();
}

/** What `jobs/count-words.ts` commits for an input, sorted. */
export function expected(input: string): string[] {
  const counts = new Map<string, number>();
  return readFileSync(input, "utf8").trimEnd().split("\n").map((line) => {
    const key = line.split(" ")[0]!;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return `${key} ${counts.get(key)}`;
  }).sort();
}
