import { faultNames, type FaultName } from "../faults/fault.js";
import { median } from "./medians.js";

/** What came of one scenario. */
export interface RunResult {
  readonly scenario: string;
  readonly seed: number;
  readonly highAvailability: string;
  readonly diskMeans: string;
  /** Of faults and healing, as asked for. */
  readonly minutes: number;
  readonly struck: ReadonlyMap<FaultName, number>;
  /** Faults that were possible in its world. */
  readonly possible: readonly FaultName[];
  readonly checkpoints: number;
  readonly restarts: number;
  readonly rescales: number;
  readonly leaderChanges: number;
  readonly endings: number;
  readonly records: number;
  readonly checkpointDurationsMs: readonly number[];
  readonly restartDurationsMs: readonly number[];
  /** From each fault to the next complete checkpoint. */
  readonly recoveriesMs: readonly number[];
  /** From the end of all faults to the next complete checkpoint. */
  readonly healedMs: number | undefined;
  /** What is wrong; nothing when it has passed. */
  readonly complaints: readonly string[];
  /** Where logs and outputs of a failure are. */
  readonly keptIn: string | undefined;
}

/** Of all runs together; shorter ones cannot have everything. */
export const MINUTES_THAT_HAVE_ALL = 2;

/** A table with a column for each scenario, and what the runs together are short of. */
export function summaryLines(results: readonly RunResult[]): string[] {
  const rows: string[][] = [["", ...results.map(({ scenario }) => scenario), "all"]];
  const row = (name: string, value: (result: RunResult) => number | undefined, total: (values: number[]) => number | undefined, unit = ""): void => {
    const values = results.map(value);
    const known = values.filter((each) => each !== undefined);
    rows.push([name, ...[...values, known.length === 0 ? undefined : total(known)].map((each) => (each === undefined ? "-" : `${Math.round(each)}${unit}`))]);
  };
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  for (const name of faultNames) row(name, ({ struck, possible }) => (possible.includes(name) ? struck.get(name) ?? 0 : undefined), sum);
  row("checkpoints", ({ checkpoints }) => checkpoints, sum);
  row("restarts", ({ restarts }) => restarts, sum);
  row("rescales", ({ rescales }) => rescales, sum);
  row("leader changes", ({ leaderChanges }) => leaderChanges, sum);
  row("processes that ended by themselves", ({ endings }) => endings, sum);
  row("records out", ({ records }) => records, sum);
  const overAll = (all: (result: RunResult) => readonly number[]) => (): number | undefined => median(results.flatMap(all));
  row("median checkpoint", ({ checkpointDurationsMs }) => median(checkpointDurationsMs), overAll(({ checkpointDurationsMs }) => checkpointDurationsMs), " ms");
  row("median restart", ({ restartDurationsMs }) => median(restartDurationsMs), overAll(({ restartDurationsMs }) => restartDurationsMs), " ms");
  row("median from fault to checkpoint", ({ recoveriesMs }) => median(recoveriesMs), overAll(({ recoveriesMs }) => recoveriesMs), " ms");
  row("from all well to checkpoint", ({ healedMs }) => healedMs, (values) => Math.max(...values), " ms");
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows.map((cells) => cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "));
}

/** What a run has to do, since no run before it has; short runs owe nothing. */
export function owedFaults(minutes: number, faults: readonly FaultName[], before: readonly RunResult[]): ReadonlySet<FaultName> {
  return new Set(minutes < MINUTES_THAT_HAVE_ALL ? [] : faults.filter((name) => before.every(({ struck }) => !struck.has(name))));
}

/** Why the runs prove less than they should: faults that were possible in one of them and happened in none. Short runs are not held to it. */
export function missingFaults(results: readonly RunResult[]): readonly FaultName[] {
  if (results.reduce((sum, { minutes }) => sum + minutes, 0) < MINUTES_THAT_HAVE_ALL - 0.01) return [];
  return faultNames.filter((name) => results.some(({ possible }) => possible.includes(name)) && results.every(({ struck }) => (struck.get(name) ?? 0) === 0));
}
