import type { WorkResult } from "../run-work.js";
import { formatNumber } from "./table.js";

export interface Tables {
  readonly figures: { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] };
  readonly costs: { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] };
}

/** The table of figures and goals, and the one of what they cost. */
export function tablesOf(results: readonly WorkResult[]): Tables {
  return {
    figures: {
      header: ["work", "figure", "Millrace", "Flink", "loop", "ratio", "goal", "met"],
      rows: results.flatMap(({ work, medians, size }) =>
        work.figures(medians, size).map((figure, i) => [
          i === 0 ? work.name : "", figure.what, figure.millrace, figure.flink, figure.limit, figure.ratio, figure.goal, met(figure.met, size.smoke),
        ])),
    },
    costs: {
      header: ["work", "CPU s / M records: Millrace", "Flink", "loop", "peak RSS: Millrace", "Flink", "loop"],
      rows: results.map(({ work, medians }) => {
        const cpu = (name: string): string => {
          const of = medians.get(name);
          // Of a handful of records all of it is start-up.
          return of === undefined || of.records < 1000 ? "–" : formatNumber(of.cpuSeconds / (of.records / 1e6), "s");
        };
        const memory = (name: string): string => formatNumber((medians.get(name)?.peakRssKb ?? Number.NaN) / 1024, "MB", 0);
        return [work.name, cpu("millrace"), cpu("flink"), cpu("loop"), memory("millrace"), memory("flink"), memory("loop")];
      }),
    },
  };
}

function met(value: boolean | undefined, smoke: boolean): string {
  if (value === undefined || smoke) return "";
  return value ? "yes" : "NO";
}

/** Flink's configuration as it told it, of the first of its runs. */
export function flinkConfig(results: readonly WorkResult[]): unknown {
  return results.flatMap(({ samples }) => [...samples.values()].flat()).find((sample) => sample.config !== undefined)?.config;
}
