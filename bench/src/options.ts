import { parseArgs } from "node:util";

export interface BenchOptions {
  readonly list: boolean;
  /** Names, or empty for all works. */
  readonly only: readonly string[];
  readonly jsonFile: string | undefined;
  readonly smoke: boolean;
  readonly runs: number;
  /** Share of the full number of records (and bytes of text). */
  readonly scale: number;
  readonly skipFlink: boolean;
  readonly writeResults: boolean;
}

export const usage = `npm run bench -- [options]
  --list             the works, and their goals
  --only NAME,…      only these works
  --runs N           runs of each side (5; with --smoke 1)
  --scale F          this share of the records and bytes of the full sizes, say 0.1
  --smoke            small sizes: that everything runs and agrees, not how fast
  --skip-flink       without Flink: no ratios
  --json FILE        every run's raw figures
  --write-results    write bench/RESULTS.md; rows of works that were not run stay`;

/** @throws with a sentence for the user */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv], strict: true,
    options: {
      list: { type: "boolean", default: false }, only: { type: "string", multiple: true, default: [] }, json: { type: "string" }, smoke: { type: "boolean", default: false },
      runs: { type: "string" }, scale: { type: "string", default: "1" }, "skip-flink": { type: "boolean", default: false }, "write-results": { type: "boolean", default: false },
    },
  });
  const runs = values.runs === undefined ? (values.smoke ? 1 : 5) : Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs} is not a number of runs`);
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 1)) throw new Error(`--scale ${values.scale} is not a share between 0 and 1`);
  return {
    scale, list: values.list, only: values.only.flatMap((names) => names.split(",")).filter((name) => name !== ""), jsonFile: values.json, smoke: values.smoke, runs,
    skipFlink: values["skip-flink"], writeResults: values["write-results"],
  };
}
