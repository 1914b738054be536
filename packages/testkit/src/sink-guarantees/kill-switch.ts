import type { CheckpointListener, CheckpointedFunction } from "@millrace/core";
import { Faults, type Fault } from "../faults/faults.js";
import type { Killer } from "./killing-sink.js";

/** One planned kill. */
export interface Kill extends Fault {
  /** The end of the process, not of the task alone. */
  readonly dies: boolean;
}

/** Kills where it was planned; counts visits over all jobs of a case. */
export class KillSwitch implements Killer {
  readonly faults: Faults;
  readonly #kills: readonly Kill[];

  constructor(kills: readonly Kill[]) {
    this.#kills = kills;
    this.faults = new Faults(kills);
  }

  get visits(): ReadonlyMap<string, number> {
    return this.faults.visits;
  }

  /** How many kills have hit. */
  get hits(): number {
    return this.faults.thrown.length;
  }

  get dies(): boolean {
    return (this.faults.thrown.at(-1) as Kill | undefined)?.dies ?? false;
  }

  visit(place: string): void {
    this.faults.visit(place);
  }

  toString(): string {
    return this.#kills.map(killText).join(", ");
  }
}

export function killText({ place, at, dies }: Kill): string {
  return `${dies ? "process dies" : "task fails"} ${place} (visit ${at})`;
}

/** Where the operator before the sink can be killed. */
export const TAP_PLACES = ["at a record before the sink", "when another operator takes its snapshot", "when another operator learns that the checkpoint is complete"] as const;

/** The operator before the sink: counts what passes. Part of the checkpoint, so that it can make one fail that the sink took part in. */
export class Tap<T> implements CheckpointedFunction, CheckpointListener {
  readonly #kills: KillSwitch;
  readonly #passed: (record: T) => void;

  constructor(kills: KillSwitch, passed: (record: T) => void) {
    this.#kills = kills;
    this.#passed = passed;
  }
  initializeState(): void {}
  map(record: T): T {
    this.#kills.visit(TAP_PLACES[0]);
    this.#passed(record);
    return record;
  }
  snapshotState(): void {
    this.#kills.visit(TAP_PLACES[1]);
  }
  notifyCheckpointComplete(): void {
    this.#kills.visit(TAP_PLACES[2]);
  }
}
