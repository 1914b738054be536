import type { Barrier } from "../exchange/channel-element.js";
import type { InFlightData } from "../checkpoint/in-flight-data.js";

/** What a task's input says after a turn: go on, wait to be woken, or no more records will come (but perhaps barriers, until it is `closed`). */
export type InputProgress = "more" | "waiting" | "ended";

/** Where a task's records come from. */
export interface TaskInput {
  /** Processes records until the turn is over, the outputs are blocked, `interrupt` says so, or there is nothing to do. */
  process(interrupt: () => boolean): InputProgress;
  /** Nothing at all will come any more: the task may finish. */
  readonly closed: boolean;
  /** A checkpoint was asked for by the JobMaster instead of by barriers. */
  triggerCheckpoint(barrier: Barrier): void;
  checkpointAborted(checkpointId: number): void;
  /**
   * At the instant of an unaligned checkpoint: hands over what waits here and belongs into it, and from now on what comes before its barriers.
   * @returns false when the checkpoint was aborted meanwhile.
   */
  recordInFlight?(checkpointId: number, data: InFlightData): boolean;
  /** Where the input is made here rather than received: it has come to its end, whatever was left, with the last watermark. Does nothing when it had already. */
  endNow?(): void;
  /** Where the input is made here: nothing comes and it counts as closed, until it is {@link resume}d. */
  suspend?(): void;
  resume?(): void;
  /** Every element that was received and not processed is dropped. */
  discard(): void;
}
