import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../packages/cli/dist/main.js", import.meta.url));

export interface Finished {
  readonly exitCode: number | null;
  /** What it printed, without the number of the subtask that printed it; in the order of printing. */
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Runs an example as a user does, `millrace run [options] examples/NAME.ts [arguments]`, in a process of its own. */
export function runExample(name: string, options: readonly string[] = [], args: readonly string[] = []): Promise<Finished> {
  const job = fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [command, "run", ...options, job, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, errors, lines: output.split("\n").slice(0, -1).map((line) => line.replace(/^(.*?)(?:^|:)\d+> /, (_, prefix: string) => (prefix === "" ? "" : `${prefix}> `))) }));
  });
}

/** As {@link runExample}, but fails with what the job said unless it finished. Resolves with the printed lines. */
export async function printedBy(name: string, options: readonly string[] = [], args: readonly string[] = []): Promise<readonly string[]> {
  const { exitCode, lines, errors } = await runExample(name, options, args);
  if (exitCode !== 0) throw new Error(`${name} ended with exit code ${exitCode}:\n${errors}`);
  return lines;
}

export const STREAMING: readonly string[] = ["-p", "2"];
export const BATCH: readonly string[] = ["--inline", "-p", "2", "-D", "execution.runtime-mode=BATCH"];

/** Lines as a multiset: what parallel subtasks print has no order. */
export function sorted(lines: Iterable<string>): string[] {
  return [...lines].sort();
}

export function readData(name: string): string {
  return readFileSync(new URL(`../data/${name}`, import.meta.url), "utf8");
}

/** The rows of a CSV file without quotes, as arrays of fields. */
export function csvRows(name: string): string[][] {
  return readData(name).trimEnd().split("\n").slice(1).map((line) => line.split(","));
}

export function jsonLines<T>(name: string): T[] {
  return readData(name).trimEnd().split("\n").map((line) => JSON.parse(line) as T);
}

/** Groups in order of first appearance; each group keeps the order of its values. */
export function groupBy<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}
