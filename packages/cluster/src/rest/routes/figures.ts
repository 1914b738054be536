import { executionStates, type IoMetrics, type Spread, type UserAccumulator } from "../schema/job-answers.js";
import type { FigureSummary } from "../schema/checkpoint-answers.js";
import type { AccumulatorValue } from "@millrace/core";
import type { ExecutionState } from "@millrace/graph";
import type { ExecutionView } from "../../job-master/job-view.js";

const final: ReadonlySet<string> = new Set(["FINISHED", "CANCELED", "FAILED"]);

/** Begin, end and duration of an attempt: from its deployment to its end. -1 is "not yet". */
export function timesOfAttempt({ timestamps, state }: ExecutionView, nowMs: number): { readonly start: number; readonly end: number; readonly duration: number } {
  const start = timestamps.DEPLOYING ?? -1;
  const end = final.has(state) ? (timestamps[state] ?? -1) : -1;
  return { start, end, duration: start < 0 ? -1 : Math.max(0, (end < 0 ? nowMs : end) - start) };
}

/** Begin, end and duration of several attempts together. */
export function timesOfAll(executions: readonly ExecutionView[], nowMs: number): { readonly start: number; readonly end: number; readonly duration: number } {
  const times = executions.map((execution) => timesOfAttempt(execution, nowMs));
  const starts = times.map(({ start }) => start).filter((start) => start >= 0);
  const start = starts.length === 0 ? -1 : Math.min(...starts);
  const end = executions.length > 0 && executions.every(({ state }) => final.has(state)) ? Math.max(...times.map((time) => time.end)) : -1;
  return { start, end, duration: start < 0 ? -1 : Math.max(0, (end < 0 ? nowMs : end) - start) };
}

export function ioMetrics(executions: readonly ExecutionView[]): IoMetrics {
  const sum = (name: string): number => executions.reduce((total, { metrics }) => total + (metrics[name] ?? 0), 0);
  const known = executions.every(({ metrics }) => Object.keys(metrics).length > 0);
  return {
    "read-bytes": sum("numBytesIn"), "read-bytes-complete": known, "write-bytes": sum("numBytesOut"), "write-bytes-complete": known,
    "read-records": sum("numRecordsIn"), "read-records-complete": known, "write-records": sum("numRecordsOut"), "write-records-complete": known,
    "accumulated-backpressured-time": Math.round(sum("accumulateBackPressuredTimeMs")), "accumulated-idle-time": Math.round(sum("accumulateIdleTimeMs")),
    "accumulated-busy-time": Math.round(sum("accumulateBusyTimeMs")),
  };
}

/** Number of attempts in each state, zeros included. */
export function stateCounts(states: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(executionStates.map((state) => [state, 0]));
  for (const state of states) counts[state]!++;
  return counts;
}

/** The one state that stands for all subtasks of a vertex. Flink: ExecutionJobVertex.getAggregateJobVertexState. */
export function aggregateState(states: readonly ExecutionState[]): ExecutionState {
  for (const state of ["FAILED", "CANCELING", "CANCELED", "INITIALIZING", "RUNNING"] as const) if (states.includes(state)) return state;
  if (states.includes("FINISHED")) return states.every((state) => state === "FINISHED") ? "FINISHED" : "RUNNING";
  return states.includes("DEPLOYING") ? "DEPLOYING" : "CREATED";
}

const lived: readonly ExecutionState[] = ["CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING"];

/** How long an attempt was in each state of its life; -1 for those it was never in. */
export function statusDurations({ timestamps }: ExecutionView, nowMs: number): Record<string, number> {
  const entered = Object.values(timestamps).sort((a, b) => a - b);
  return Object.fromEntries(lived.map((state) => {
    const at = timestamps[state];
    if (at === undefined) return [state, -1];
    const order = Object.entries(timestamps).filter(([other, time]) => time > at || (time === at && lived.indexOf(other as ExecutionState) > lived.indexOf(state)));
    return [state, Math.max(0, (order.length === 0 ? nowMs : Math.min(...order.map(([, time]) => time), entered.at(-1)!)) - at)];
  }));
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

const at = (ordered: readonly number[], q: number): number => ordered[Math.min(ordered.length - 1, Math.floor(q * ordered.length))] ?? 0;

export function spread(values: readonly number[]): Spread {
  const ordered = sorted(values);
  const sum = ordered.reduce((total, value) => total + value, 0);
  return {
    min: ordered[0] ?? 0, max: ordered.at(-1) ?? 0, avg: ordered.length === 0 ? 0 : Math.round(sum / ordered.length), sum, median: at(ordered, 0.5), p25: at(ordered, 0.25),
    p75: at(ordered, 0.75), p95: at(ordered, 0.95),
  };
}

/** The spread of every figure that several attempts have. */
export function aggregatedFigures(executions: readonly ExecutionView[], nowMs: number): { readonly metrics: Record<string, Spread>; readonly "status-duration": Record<string, Spread> } {
  const each = executions.map((execution) => ioMetrics([execution]));
  const names = ["read-bytes", "write-bytes", "read-records", "write-records", "accumulated-backpressured-time", "accumulated-idle-time", "accumulated-busy-time"] as const;
  const durations = executions.map((execution) => statusDurations(execution, nowMs));
  return {
    metrics: Object.fromEntries(names.map((name) => [name, spread(each.map((metrics) => metrics[name]))])),
    "status-duration": Object.fromEntries(lived.map((state) => [state, spread(durations.map((duration) => duration[state]!))])),
  };
}

/** A summary with percentiles; `NaN` in Flink's spelling when there is nothing to tell them from. */
export function figureSummary(values: readonly number[]): FigureSummary {
  if (values.length === 0) return { min: 0, max: 0, avg: 0, p50: "NaN", p90: "NaN", p95: "NaN", p99: "NaN", p999: "NaN" };
  const ordered = sorted(values);
  const avg = Math.round(ordered.reduce((total, value) => total + value, 0) / ordered.length);
  return { min: ordered[0]!, max: ordered.at(-1)!, avg, p50: at(ordered, 0.5), p90: at(ordered, 0.9), p95: at(ordered, 0.95), p99: at(ordered, 0.99), p999: at(ordered, 0.999) };
}

const accumulatorTypes: Readonly<Record<AccumulatorValue["kind"], string>> = {
  sum: "SumCounter", minimum: "Minimum", maximum: "Maximum", average: "Average", histogram: "CountHistogram", list: "ListAccumulator", custom: "Accumulator",
};

export function userAccumulators(values: Readonly<Record<string, AccumulatorValue>>): UserAccumulator[] {
  return Object.entries(values).map(([name, { kind, value }]) => ({ name, type: accumulatorTypes[kind], value: printed(value) }));
}

/** An accumulator's value as text: what JSON cannot hold is spelled out. */
export function printed(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part instanceof Map ? Object.fromEntries(part) : part)) ?? String(value);
}
