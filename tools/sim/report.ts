import { faultKinds, type FaultKind } from "../../e2e/simulation/world/faults.js";
import type { RunOutcome } from "../../e2e/simulation/run-seed.js";

/** Adds up what runs have seen, to show that they were not idle. */
export class Report {
  readonly #checkpoints: number[] = [];
  readonly #afterState: number[] = [];
  readonly #struck = new Map<FaultKind, number>();
  readonly #counts = new Map<string, number>();
  #seeds = 0;
  #events = 0;
  #attempts = 0;

  add({ completedCheckpoints, afterState, struck, counts, events, attempts }: RunOutcome): void {
    this.#seeds++;
    this.#events += events;
    this.#attempts += attempts;
    this.#checkpoints.push(completedCheckpoints);
    this.#afterState.push(afterState);
    for (const [name, count] of Object.entries(counts)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
    for (const kind of faultKinds) this.#struck.set(kind, (this.#struck.get(kind) ?? 0) + (struck[kind] ?? 0));
  }

  /** Why the runs prove less than they should; nothing when they do not. Counters of few runs say little. */
  get idle(): readonly string[] {
    const never = faultKinds.filter((kind) => (this.#struck.get(kind) ?? 0) === 0);
    return [
      ...(median(this.#checkpoints) < 3 ? [`the median of complete checkpoints is ${median(this.#checkpoints)}`] : []),
      ...(median(this.#afterState) < 5 ? [`the median of faults after there was state is ${median(this.#afterState)}`] : []),
      ...[...this.#counts].filter(([, count]) => count === 0).map(([name]) => `no run had any ${name}`),
      ...never.map((kind) => `no run had the fault ${kind}`),
    ];
  }

  lines(elapsedMs: number): readonly string[] {
    const perMinute = Math.round((this.#seeds / elapsedMs) * 60_000);
    return [
      `${this.#seeds} seeds in ${(elapsedMs / 1000).toFixed(1)} s: ${perMinute} a minute, ${Math.round(this.#events / this.#seeds)} events and ${(this.#attempts / this.#seeds).toFixed(1)} attempts each`,
      `medians per seed: ${median(this.#checkpoints)} complete checkpoints, ${median(this.#afterState)} faults after there was state`,
      `beside them: ${[...this.#counts].map(([name, count]) => `${name} ${count}`).join(", ")}`,
      `faults: ${[...this.#struck].map(([kind, count]) => `${kind} ${count}`).join(", ")}`,
    ];
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
