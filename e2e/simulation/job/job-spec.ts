import type { Random } from "@millrace/env-sim";
import { randomConfig } from "./job-config.js";

/** A record of a simulated job. `at` is its event time. */
export interface Event {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

/** A source with fixed splits; `lazy` ones hand them out one by one, as they are found. */
export interface SourceSpec {
  readonly name: string;
  readonly splits: number;
  readonly recordsPerSplit: number;
  readonly keys: number;
  readonly periodMs: number;
  readonly lazy: boolean;
  /** Readers ask for the next split when they begin one, so that it may come at any time. */
  readonly ahead: boolean;
  /** After how long the enumerator looks for a split again. */
  readonly findMs: number;
  /** How long the enumerator takes to say what it knows, at most. */
  readonly snapshotMs: number;
  readonly parallelism: number;
  /** After which silence a split is idle, and holds no watermark back; 0 for never. */
  readonly idleMs: number;
}

/** What is done to the records, one step after the other. */
export type Stage =
  | { readonly kind: "map"; readonly factor: number; readonly add: number }
  | { readonly kind: "filter"; readonly modulus: number }
  | { readonly kind: "flatMap"; readonly modulus: number }
  | { readonly kind: "exchange"; readonly how: "rebalance" | "shuffle" | "rescale" }
  | { readonly kind: "async"; readonly ordered: boolean; readonly capacity: number; readonly longestMs: number }
  | { readonly kind: "hold"; readonly delayMs: number }
  | { readonly kind: "window"; readonly sizeMs: number }
  | { readonly kind: "dedupe" }
  | { readonly kind: "holdProcessing"; readonly longestMs: number }
  | { readonly kind: "count" };

/** Sources that are united, steps, and sinks, each behind so many of the steps. */
export interface PipelineSpec {
  readonly sources: readonly SourceSpec[];
  readonly stages: readonly Stage[];
  /** After how many stages each sink takes the records. */
  readonly sinks: readonly number[];
}

/** A job: pipelines that exchange nothing, so that each can fail alone. Plain data, so that it can travel as the job's artifact. */
export interface JobSpec {
  readonly pipelines: readonly PipelineSpec[];
  /** Configuration of the job, by key. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What ends the input of a job early would end its windows early. */
export function hasWindows({ pipelines }: JobSpec): boolean {
  return pipelines.some(({ stages }) => stages.some(({ kind }) => kind === "window"));
}

/** One submission of a job. */
export interface Submission {
  readonly spec: JobSpec;
  /** 1, 2, …: how often the job was submitted. */
  readonly run: number;
  readonly parallelism: number;
}

const MODULUS = 1000;

/** The record at a position of a split: always the same one. Event times rise within a split. */
export function eventAt(source: SourceSpec, split: number, position: number): Event {
  const mixed = (Math.imul(position + 1, 2654435761) ^ Math.imul(split + 1, 40503) ^ Math.imul(source.name.length, 97)) >>> 0;
  return { key: `${source.name}${mixed % source.keys}`, at: position * 20 + Math.floor(position / 10) * 150, value: (mixed >>> 8) % MODULUS };
}

/** Whether a stage works on event time, which processing-time stages do away with. */
const usesEventTime = (kind: Stage["kind"]): boolean => kind === "hold" || kind === "window";

/** The sinks of a job are numbered over all its pipelines. */
export function firstSinkOf({ pipelines }: JobSpec, pipeline: number): number {
  return pipelines.slice(0, pipeline).reduce((sum, { sinks }) => sum + sinks.length, 0);
}

export function randomJob(random: Random): JobSpec {
  const names = [..."abcdef"];
  const pipelines = Array.from({ length: random.chance(0.3) ? 2 : 1 }, (_, index) => randomPipeline(random, names.splice(0, random.int(1, index === 0 ? 3 : 1))));
  return { pipelines, config: randomConfig(random.fork("config")) };
}

function randomPipeline(random: Random, sourceNames: readonly string[]): PipelineSpec {
  const lazy = random.chance(0.35);
  const sources = sourceNames.map((name): SourceSpec => ({
    name, splits: lazy ? random.int(4, 16) : random.int(1, 4), recordsPerSplit: lazy ? random.int(2, 12) : random.int(15, 60), keys: random.int(1, 12),
    periodMs: random.int(10, 60), lazy, snapshotMs: lazy && random.chance(0.7) ? random.int(5, 80) : 0, parallelism: random.int(1, 2),
    idleMs: 0, ahead: false, findMs: 40,
  }));
  const stages: Stage[] = [];
  let eventTime = !lazy;
  for (let left = random.int(1, 5); left > 0; left--) {
    const stage = randomStage(random, eventTime);
    if (stage.kind === "holdProcessing") eventTime = false;
    stages.push(stage);
  }
  if (random.chance(0.6)) stages.push({ kind: "count" });
  const sinks = [stages.length];
  if (random.chance(0.35)) sinks.push(random.int(0, Math.max(0, stages.length - 1)));
  const idleMs = lazy ? 0 : randomIdleness(random.fork("idleness"), stages);
  const finding = lazy ? randomFinding(random.fork("ahead")) : {};
  return { sources: sources.map((source) => ({ ...source, ...finding, idleMs, recordsPerSplit: source.recordsPerSplit * (idleMs > 0 ? 2 : 1) })), stages, sinks };
}

/**
 * Longer than the silence between two records. What others do in the silence of a split makes its records late, which windows drop; and where all others have
 * ended the end of time is there, behind which no timer fires.
 */
function randomIdleness(random: Random, stages: readonly Stage[]): number {
  const needsTime = stages.some(({ kind }) => kind === "window" || kind === "hold" || kind === "holdProcessing");
  return needsTime || random.chance(0.2) ? 0 : random.int(80, 200);
}

/** Readers that ask ahead have to wait for what is still to be found, now and then: what they get comes at any time. */
function randomFinding(random: Random): Partial<SourceSpec> {
  return random.chance(0.6) ? { ahead: true, findMs: random.int(60, 250) } : {};
}

function randomStage(random: Random, eventTime: boolean): Stage {
  for (;;) {
    const stage = random.pick<() => Stage>([
      () => ({ kind: "map", factor: random.int(1, 9), add: random.int(0, 99) }),
      () => ({ kind: "filter", modulus: random.int(3, 9) }),
      () => ({ kind: "flatMap", modulus: random.int(2, 5) }),
      () => ({ kind: "exchange", how: random.pick(["rebalance", "shuffle", "rescale"]) }),
      () => ({ kind: "async", ordered: random.chance(0.5), capacity: random.int(1, 10), longestMs: random.int(1, 30) }),
      () => ({ kind: "async", ordered: random.chance(0.5), capacity: random.int(1, 2), longestMs: random.int(20, 80) }),
      () => ({ kind: "hold", delayMs: random.int(10, 300) }),
      () => ({ kind: "hold", delayMs: random.int(10, 300) }),
      () => ({ kind: "window", sizeMs: random.int(50, 500) }),
      () => ({ kind: "window", sizeMs: random.int(50, 500) }),
      () => ({ kind: "dedupe" }),
      () => ({ kind: "holdProcessing", longestMs: random.int(5, 200) }),
    ])();
    if (eventTime || !usesEventTime(stage.kind)) return stage;
  }
}

