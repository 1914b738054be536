import type { BenchFiles } from "./contestants/bench-files.js";
import { mediansOf } from "./report/medians.js";
import type { Medians, RunContext, Sample, Size, Work } from "./work.js";

const PRELUDE = { full: 200_000, smoke: 20_000 };

export interface WorkResult {
  readonly work: Work;
  readonly size: Size;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  readonly medians: ReadonlyMap<string, Medians>;
}

export interface RunWorkOptions {
  readonly smoke: boolean;
  readonly runs: number;
  readonly scale: number;
  readonly skipFlink: boolean;
  readonly files: BenchFiles;
  readonly progress: (what: string) => void;
}

/** Runs the sides of a work in turns. @throws when a run fails, or the sides do not reach the same checksum */
export async function runWork(work: Work, { smoke, runs, scale, skipFlink, files, progress }: RunWorkOptions): Promise<WorkResult> {
  const size = sizeOf(work, smoke, smoke ? 1 : scale);
  const context: RunContext = { size, files, skipFlink, progress };
  try {
    return await takeTurns(work, context, runs);
  } finally {
    await work.finish?.();
  }
}

async function takeTurns(work: Work, context: RunContext, runs: number): Promise<WorkResult> {
  const { size, skipFlink, progress } = context;
  const sides = (await work.contestants(context)).filter((side) => !(skipFlink && side.isFlink === true));
  const samples = new Map<string, Sample[]>(sides.map((side) => [side.name, []]));
  for (let run = 1; run <= runs; run++) {
    for (const side of sides) {
      progress(`run ${run} of ${runs}: ${side.name}`);
      samples.get(side.name)!.push(await side.run(context));
    }
    checkAgreement(work, new Map([...samples].filter(([name]) => sides.find((side) => side.name === name)?.checks !== false)));
  }
  return { work, size, samples, medians: new Map([...samples].map(([name, list]) => [name, mediansOf(list)])) };
}

function sizeOf(work: Work, smoke: boolean, scale: number): Size {
  const size: Size = { records: 1000, keys: undefined, prelude: smoke ? PRELUDE.smoke : PRELUDE.full, textBytes: 0, smoke, ...(smoke ? work.smoke : work.full) };
  return { ...size, records: Math.round(size.records * scale), textBytes: Math.round(size.textBytes * scale) };
}

/** @throws when two runs came to different outputs */
export function checkAgreement(work: Pick<Work, "name">, samples: ReadonlyMap<string, readonly Sample[]>): void {
  const all = [...samples].flatMap(([name, list]) => list.map((sample, run) => ({ name, run: run + 1, outputs: sample.outputs, checksum: sample.checksum })));
  const [first, ...others] = all;
  const different = others.filter((other) => other.checksum !== first!.checksum);
  if (different.length === 0) return;
  const lines = [first!, ...different].map(({ name, run, outputs, checksum }) => `  ${name}, run ${run}: ${outputs} outputs with checksum ${checksum}`);
  throw new Error(`${work.name}: the results differ:\n${lines.join("\n")}`);
}
