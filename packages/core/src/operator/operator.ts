import type { Output } from "../record/collector.js";
import type { RecordBatch } from "../record/record-batch.js";
import type { StateInitializationContext, StateSnapshotContext } from "../state/operator-state.js";
import type { OperatorContext } from "./operator-context.js";

/**
 * What runs in a task, between its inputs and its output. One instance per subtask and attempt; all calls come from the task's thread, one at a time:
 *
 * `open` (once, state restored) → records, watermarks, timers, snapshots in any order → `endInput` per input → `finish` → `close`.
 * `close` comes once in every case, also after a failure. Promises returned by `open`, `prepareSnapshot`, `snapshotState`, `notify*`, `finish` and `close`
 * suspend the task's input until they settle; `processRecord` must not return one (use `OperatorContext.suspendUntil`).
 */
export interface Operator<OUT = unknown> {
  /** Opens state, restores what the last checkpoint holds, opens user functions. */
  open?(context: StateInitializationContext): void | Promise<void>;
  /**
   * The minimum watermark over all inputs moved. Event-time timers have fired before this is called.
   * Default: forward. An operator that implements it forwards it itself through `out`. May return false to say "not done: call again" (resumable emission);
   * then nothing else is processed until it returned something else.
   */
  processWatermark?(timestampMs: number, out: Output<OUT>): boolean | void;
  /** All inputs became idle, or one became active. Default: forward. */
  processStatus?(idle: boolean, out: Output<OUT>): void;
  /** Before the barrier goes downstream: flush what must precede it. */
  prepareSnapshot?(checkpointId: number): void | Promise<void>;
  /** Writes operator state; keyed state and timers are snapshotted by the backend. */
  snapshotState?(context: StateSnapshotContext): void | Promise<void>;
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>;
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>;
  /** Input `index` (0-based) has ended; the last watermark came before. */
  endInput?(index: number, out: Output<OUT>): boolean | void;
  /** All inputs ended: emit what is left. Not called when the job is cancelled. */
  finish?(out: Output<OUT>): void | Promise<void>;
  close?(): void | Promise<void>;
}

/** An operator with one input. Implement `processRecord`; add `processBatch` when whole batches are faster. */
export interface OneInputOperator<IN = unknown, OUT = unknown> extends Operator<OUT> {
  processRecord(value: IN, timestampMs: number, out: Output<OUT>): void;
  /**
   * Processes records `from` (inclusive) to `to` (exclusive). Must do exactly what `processRecord` does one by one.
   * A keyed operator sets the current key itself here (`batch.keyHashes` holds the hashes); before `processRecord` the task has set it.
   */
  processBatch?(batch: RecordBatch<IN>, from: number, to: number, out: Output<OUT>): void;
}

/** An operator with two inputs of different types. */
export interface TwoInputOperator<A = unknown, B = unknown, OUT = unknown> extends Operator<OUT> {
  processRecord1(value: A, timestampMs: number, out: Output<OUT>): void;
  processRecord2(value: B, timestampMs: number, out: Output<OUT>): void;
}

/** An operator with any number of inputs. */
export interface MultipleInputOperator<OUT = unknown> extends Operator<OUT> {
  /** `index` is 0-based. */
  processInputRecord(index: number, value: unknown, timestampMs: number, out: Output<OUT>): void;
  /** Which inputs may be read next; default all. Asked after every batch. */
  selectableInputs?(): readonly number[];
}

/** Makes an operator inside the task that runs it. Called once per subtask and attempt, on the task's thread. */
export type OperatorFactory<O extends Operator = Operator> = (context: OperatorContext) => O;
