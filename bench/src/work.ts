import type { BenchFiles } from "./contestants/bench-files.js";

/** What one run gave. */
export interface Sample {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of all processes, summed. */
  readonly peakRssKb: number;
  readonly outputs: number;
  readonly checksum: number;
  /** Figures of this work alone, in the unit their name ends with. */
  readonly extras: Readonly<Record<string, number>>;
  /** How the contestant was configured, for those that say so. */
  readonly config?: unknown;
}

/** The medians of a contestant's runs, field by field. */
export type Medians = Omit<Sample, "config"> & { readonly recordsPerSecond: number };

export interface Size {
  readonly records: number;
  readonly keys: number | undefined;
  /** Records of each of the five unrelated pipelines in our slots. */
  readonly prelude: number;
  /** Size of the text a work reads. */
  readonly textBytes: number;
  readonly smoke: boolean;
}

export interface RunContext {
  readonly size: Size;
  readonly files: BenchFiles;
  readonly skipFlink: boolean;
  readonly progress: (what: string) => void;
}

/** One side of a work: starts a process (or several), and says what it measured. */
export interface Contestant {
  readonly name: string;
  readonly isFlink?: boolean;
  /** False: its checksum is none. Default true. */
  readonly checks?: boolean;
  /** Runs of other contestants of which it needs a figure are done by then; see {@link Work.prepare}. */
  run(context: RunContext): Promise<Sample>;
}

/** One line of the table. */
export interface Figure {
  readonly what: string;
  /** Formatted, by contestant. */
  readonly millrace: string;
  readonly flink: string;
  readonly limit: string;
  readonly ratio: string;
  readonly goal: string;
  /** `undefined`: there is no goal, or nothing to compare with. */
  readonly met: boolean | undefined;
}

/** A row of the benchmark. */
export interface Work {
  readonly name: string;
  readonly title: string;
  readonly goal: string;
  readonly full: Partial<Size>;
  readonly smoke: Partial<Size>;
  /** The sides, in the order they take turns. May find out first what the runs need (a rate, a heap size). */
  contestants(context: RunContext): Promise<readonly Contestant[]> | readonly Contestant[];
  /** By contestant's name; those that were skipped are missing. */
  figures(medians: ReadonlyMap<string, Medians>, size: Size): readonly Figure[];
  /** Ends what {@link contestants} has started, whatever became of the runs. */
  finish?(): Promise<void>;
}
