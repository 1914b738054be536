import { MAX_WATERMARK, MIN_WATERMARK, type DataStream, type StreamExecutionEnvironment } from "millrace";

/** A record of a script, with what the script leaves out filled in. */
export interface Event {
  readonly id: number;
  readonly k: string;
  readonly v: number;
  readonly c: string;
  readonly a: number;
  readonly b: number;
}

/** One element of a script, as PIPELINES.md has it. */
export type Element =
  | { readonly t: number; readonly v: { readonly id: number; readonly k: string; readonly v: number } & Partial<Event> }
  | { readonly w: number }
  | { readonly idle: boolean }
  | { readonly p: number };

export interface Case {
  readonly name: string;
  readonly pipeline: string;
  /** Each pipeline knows its own. */
  readonly params: any;
  readonly inputs: Readonly<Record<string, readonly Element[]>>;
  readonly order?: readonly string[];
}

/** What a case gave: a record, a watermark or a status. Without `step` when the order was not controlled. */
export type Emission = { readonly step?: number } & (
  | { readonly tag?: string; readonly t?: Long; readonly v: unknown }
  | { readonly w: Long }
  | { readonly idle: boolean }
);

/** A number, or an end of Java's range of longs. */
export type Long = number | "MIN" | "MAX";

/** The engine's smallest and largest times are Flink's. */
export function long(timeMs: number): Long {
  if (timeMs === MIN_WATERMARK) return "MIN";
  return timeMs === MAX_WATERMARK ? "MAX" : timeMs;
}

/** What running a case gave. */
export interface CaseResult {
  readonly outputs: readonly Emission[];
  readonly lateDropped?: number;
}

export interface JobSettings {
  /** Configuration of the job, by key. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of everything between the sources and what writes the outputs down; default 1. */
  readonly parallelism?: number;
  /** How often the job is to fail and go on from a checkpoint, at about even distances; default never. */
  readonly restores?: number;
}

/** The inputs of a job, by name and in order. */
export interface Job {
  readonly env: StreamExecutionEnvironment;
  readonly streams: readonly DataStream<Event>[];
  input(name: string): DataStream<Event>;
}

/** The streams whose output is looked at. */
export interface Outputs {
  readonly main: DataStream<any>;
  readonly sides?: Readonly<Record<string, DataStream<Event>>>;
}

/** Builds one of the jobs of PIPELINES.md. */
export type Pipeline = (job: Job, params: any) => Outputs;

/** An event as an output. */
export function eventOutput({ id, k, v }: Event): { id: number; k: string; v: number } {
  return { id, k, v };
}

/** `reduce` of PIPELINES.md. */
export function mergeEvents(a: Event, b: Event): Event {
  return { ...a, id: Math.min(a.id, b.id), v: a.v + b.v };
}

export interface Stats {
  readonly n: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

const noStats: Stats = { n: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };

/** `aggregate` of PIPELINES.md. */
export const stats = {
  createAccumulator: (): Stats => noStats,
  add: ({ v }: { readonly v: number }, s: Stats): Stats => ({ n: s.n + 1, sum: s.sum + v, min: Math.min(s.min, v), max: Math.max(s.max, v) }),
  getResult: (s: Stats): Stats => s,
  merge: (a: Stats, b: Stats): Stats => ({ n: a.n + b.n, sum: a.sum + b.sum, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }),
};
