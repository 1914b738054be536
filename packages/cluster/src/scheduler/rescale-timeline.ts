import type { Clock, SerializedError } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import type { ResourceRequirements } from "./resource-requirements.js";

/** What a rescale began for. A job's first deployment counts as one, and so does each one after a failure. Flink: TriggerCause. */
export type RescaleCause = "INITIAL_SCHEDULE" | "UPDATE_REQUIREMENT" | "NEW_RESOURCE_AVAILABLE" | "RECOVERABLE_FAILOVER";

export type RescaleOutcome = "COMPLETED" | "FAILED" | "IGNORED";

/** Why a rescale is over, and what that makes of it. Flink: TerminatedReason. */
const outcomes = {
  SUCCEEDED: "COMPLETED", EXCEPTION_OCCURRED: "FAILED", RESOURCE_REQUIREMENTS_UPDATED: "IGNORED", NO_RESOURCES_OR_PARALLELISMS_CHANGE: "IGNORED",
  JOB_FINISHED: "IGNORED", JOB_FAILED: "IGNORED", JOB_CANCELED: "IGNORED",
} as const satisfies Readonly<Record<string, RescaleOutcome>>;
export type RescaleEnd = keyof typeof outcomes;

/** Parallelism of a vertex, or slots of a slot sharing group: what is wanted, what would do, and what there was and is. */
export interface RescaledWidth {
  readonly desired: number;
  readonly sufficient: number;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** A time that the scheduler spent in one of its states. */
export interface SchedulerSpan {
  readonly state: string;
  readonly enteredMs: number;
  readonly leftMs: number;
  /** What ended it, if that was a failure. */
  readonly failure: string | undefined;
}

/** One rescale of a job. Plain data; times by wall clock. Flink: Rescale. */
export interface RescaleRecord {
  readonly rescaleId: string;
  /** The same for all rescales under the same requirements. */
  readonly requirementsId: string;
  /** Counts rescales under the same requirements, from 1. */
  readonly attempt: number;
  readonly cause: RescaleCause;
  readonly startMs: number;
  /** `undefined` while it goes on. */
  readonly endMs: number | undefined;
  readonly reason: RescaleEnd | undefined;
  readonly outcome: RescaleOutcome | undefined;
  /** By vertex id. */
  readonly vertices: Readonly<Record<string, RescaledWidth & { readonly name: string; readonly slotSharingGroup: string }>>;
  /** By slot sharing group. */
  readonly slots: Readonly<Record<string, RescaledWidth>>;
  /** In order; only those that were left. */
  readonly states: readonly SchedulerSpan[];
}

/** What a job remembers of its rescales. Plain data. Flink: RescalesStatsSnapshot. */
export interface RescalesView {
  readonly counts: Readonly<Record<RescaleOutcome | "IN_PROGRESS", number>>;
  /** Newest first. */
  readonly history: readonly RescaleRecord[];
  readonly latest: Readonly<Partial<Record<RescaleOutcome, RescaleRecord>>>;
  /** How long those took that are over, oldest first. */
  readonly durationsMs: Readonly<Record<RescaleOutcome, readonly number[]>>;
}

type Mutable = { -readonly [K in keyof RescaleRecord]: RescaleRecord[K] };

/** Durations that are kept for percentiles. */
const MAX_DURATIONS = 1000;

/** Notes the rescales of a job, as the adaptive scheduler tells of them: at most one goes on at a time. Flink: DefaultRescaleTimeline, FLIP-495. */
export class RescaleTimeline {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #jobGraph: JobGraph;
  readonly #maxHistory: number;
  readonly #history: Mutable[] = [];
  readonly #latest: Partial<Record<RescaleOutcome, RescaleRecord>> = {};
  readonly #counts = { IN_PROGRESS: 0, COMPLETED: 0, FAILED: 0, IGNORED: 0 };
  readonly #durationsMs: Record<RescaleOutcome, number[]> = { COMPLETED: [], FAILED: [], IGNORED: [] };
  #current: Mutable | undefined;
  #requirementsId = "";
  #attempt = 0;
  #begun = 0;

  /** @param maxHistory rescales that are remembered one by one */
  constructor(clock: Pick<Clock, "nowMs">, jobGraph: JobGraph, maxHistory: number) {
    this.#clock = clock;
    this.#jobGraph = jobGraph;
    this.#maxHistory = maxHistory;
  }

  get goesOn(): boolean {
    return this.#current !== undefined;
  }

  /** A rescale begins; none may go on. */
  begin(cause: RescaleCause, requirements: ResourceRequirements, areNew = false): void {
    const startMs = this.#clock.nowMs();
    const id = this.#id(startMs);
    if (areNew) {
      this.#requirementsId = id;
      this.#attempt = 0;
    }
    this.#current = {
      rescaleId: id, requirementsId: this.#requirementsId, attempt: ++this.#attempt, cause, startMs, endMs: undefined, reason: undefined, outcome: undefined,
      ...this.#widths(requirements), states: [],
    };
    this.#counts.IN_PROGRESS = 1;
    this.#history.push(this.#current);
    if (this.#history.length > this.#maxHistory) this.#history.shift();
  }

  /** The job goes down after a failure. What goes on becomes part of what comes of that. */
  failedOver(requirements: ResourceRequirements): void {
    if (this.#current === undefined) return this.begin("RECOVERABLE_FAILOVER", requirements);
    Object.assign(this.#current, { cause: "RECOVERABLE_FAILOVER", startMs: this.#clock.nowMs(), states: [], ...this.#widths(requirements) } satisfies Partial<RescaleRecord>);
  }

  /** It is known what the job is rescaled to. */
  planned(parallelism: ReadonlyMap<string, number>, requirements: ResourceRequirements): void {
    if (this.#current !== undefined) Object.assign(this.#current, this.#widths(requirements, parallelism));
  }

  /** The scheduler leaves a state that it entered then. */
  left(state: string, enteredMs: number, failure?: SerializedError): void {
    if (this.#current === undefined) return;
    this.#current.states = [...this.#current.states, { state, enteredMs, leftMs: this.#clock.nowMs(), failure: failure === undefined ? undefined : failure.stack ?? failure.message }];
  }

  /** What goes on is over; nothing happens when nothing does. */
  end(reason: RescaleEnd): void {
    const current = this.#current;
    if (current === undefined) return;
    const outcome = outcomes[reason];
    const endMs = this.#clock.nowMs();
    Object.assign(current, { endMs, reason, outcome } satisfies Partial<RescaleRecord>);
    this.#current = undefined;
    this.#counts.IN_PROGRESS = 0;
    this.#counts[outcome]++;
    this.#latest[outcome] = current;
    const durations = this.#durationsMs[outcome];
    durations.push(endMs - current.startMs);
    if (durations.length > MAX_DURATIONS) durations.shift();
  }

  view(): RescalesView {
    return {
      counts: { ...this.#counts }, history: this.#history.map((record) => ({ ...record })).reverse(), latest: { ...this.#latest },
      durationsMs: { COMPLETED: [...this.#durationsMs.COMPLETED], FAILED: [...this.#durationsMs.FAILED], IGNORED: [...this.#durationsMs.IGNORED] },
    };
  }

  /** 32 hexadecimal digits, as all ids have; not random, so that a simulated job's are the same each time. */
  #id(startMs: number): string {
    return `${this.#jobGraph.jobId.slice(0, 12)}${startMs.toString(16).padStart(12, "0").slice(-12)}${(++this.#begun).toString(16).padStart(8, "0")}`.padStart(32, "0");
  }

  #widths(requirements: ResourceRequirements, after?: ReadonlyMap<string, number>): Pick<RescaleRecord, "vertices" | "slots"> {
    const before = this.#latest.COMPLETED;
    const vertices: Record<string, RescaleRecord["vertices"][string]> = {};
    const slots: Record<string, RescaledWidth> = {};
    for (const { id, name, slotSharingGroup } of this.#jobGraph.vertices) {
      const { lowerBound: sufficient, upperBound: desired } = requirements[id]!;
      const width = { desired, sufficient, before: before?.vertices[id]?.after, after: after?.get(id) };
      vertices[id] = { name, slotSharingGroup, ...width };
      slots[slotSharingGroup] = widest(slots[slotSharingGroup], width);
    }
    return { vertices, slots };
  }
}

/** Slots of a group are as many as its widest vertex has subtasks. */
function widest(a: RescaledWidth | undefined, b: RescaledWidth): RescaledWidth {
  if (a === undefined) return b;
  const most = (x: number | undefined, y: number | undefined): number | undefined => (x === undefined || y === undefined ? x ?? y : Math.max(x, y));
  return { desired: Math.max(a.desired, b.desired), sufficient: Math.max(a.sufficient, b.sufficient), before: most(a.before, b.before), after: most(a.after, b.after) };
}
