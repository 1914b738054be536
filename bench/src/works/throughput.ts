import { flink } from "../contestants/flink.js";
import { loop } from "../contestants/loop.js";
import { millrace } from "../contestants/millrace.js";
import { formatCount, formatRatio } from "../report/table.js";
import type { Contestant, Figure, Medians, Size, Work } from "../work.js";

export interface ThroughputWork {
  readonly name: string;
  readonly title: string;
  /** Of the job, the loop and the peer's work; default: the work's. */
  readonly program?: string;
  /** Times Flink's records a second. */
  readonly timesFlink: number;
  readonly full: Partial<Size>;
  readonly smoke: Partial<Size>;
}

/** A work that is about records a second: our job, Flink's, and the loop. */
export function throughputWork({ name, title, program = name, timesFlink, full, smoke }: ThroughputWork): Work {
  const sides: readonly Contestant[] = [millrace({ job: program }), flink({ work: program }), loop(program)];
  return { name, title, goal: `≥ ${timesFlink} × Flink`, full, smoke, contestants: () => sides, figures: (medians) => [throughputFigure(medians, timesFlink)] };
}

export function throughputFigure(medians: ReadonlyMap<string, Medians>, timesFlink: number): Figure {
  const rate = (name: string): number => medians.get(name)?.recordsPerSecond ?? Number.NaN;
  const ratio = rate("millrace") / rate("flink");
  return {
    what: "records/s", millrace: formatCount(rate("millrace")), flink: formatCount(rate("flink")), limit: formatCount(rate("loop")),
    ratio: formatRatio(ratio), goal: `≥ ${timesFlink} ×`, met: Number.isNaN(ratio) ? undefined : ratio >= timesFlink,
  };
}
