import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { numberAtLeast } from "../command-line/arguments.js";

export const usage = `usage: npm run sim -- [--seeds N] [--from S] [options]

Runs whole clusters in a simulated world, each as its seed says, with faults and a sequential oracle. Exit code 0: nothing is wrong.

  --seeds N          how many (default 200); from 200 on, counters that stay at zero fail the run
  --from S           the first seed (default 1); with --mutants, the first with faults
  --no-faults        the same jobs in a world without faults
  --no-shrink        do not look for the smallest failing case
  --most-failures N  stop after so many (default 5)
  --minutes M        begin no seed later
  --processes P      side by side (default: one per processor)
  --seed S [--trace] one seed, and everything that happens in it

  --mutants          take away one safeguard of the product after the other: the simulation alone has to notice
    --only ID        this one; may be repeated
    --again          forget what is known of them
    --table          print what is known

examples:
  npm run sim -- --seeds 2000
  npm run sim -- --seed 4711 --trace
  npm run sim -- --mutants --seeds 100 --minutes 5`;

export interface SimArguments {
  readonly seeds: number;
  readonly from: number;
  /** Only this one. */
  readonly seed: number | undefined;
  readonly trace: boolean;
  readonly withFaults: boolean;
  readonly shrinks: boolean;
  readonly mostFailures: number;
  readonly minutes: number;
  readonly processes: number;
  readonly mutants: boolean;
  readonly only: readonly string[];
  readonly again: boolean;
  readonly table: boolean;
}

/** `undefined`: help is wanted. @throws with what is wrong */
export function parseArguments(args: readonly string[]): SimArguments | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "200" }, from: { type: "string", default: "1" }, seed: { type: "string" }, trace: { type: "boolean", default: false },
      "no-faults": { type: "boolean", default: false }, "no-shrink": { type: "boolean", default: false }, mutants: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] }, again: { type: "boolean", default: false }, minutes: { type: "string", default: "1000" }, table: { type: "boolean", default: false },
      processes: { type: "string", default: String(availableParallelism()) }, "most-failures": { type: "string", default: "5" }, help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    seeds: count("seeds", values.seeds), from: count("from", values.from), seed: values.seed === undefined ? undefined : count("seed", values.seed), trace: values.trace,
    withFaults: !values["no-faults"], shrinks: !values["no-shrink"], mostFailures: count("most-failures", values["most-failures"]), minutes: numberAtLeast("minutes", values.minutes, 0),
    processes: count("processes", values.processes), mutants: values.mutants, only: values.only, again: values.again, table: values.table,
  };
}

function count(name: string, text: string): number {
  const value = numberAtLeast(name, text, 1);
  if (!Number.isSafeInteger(value)) throw new Error(`--${name}: "${text}" is no whole number`);
  return value;
}
