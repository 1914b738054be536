import { MIN_WATERMARK } from "@millrace/core";
import type { KeySelector, KeyedStateBackend, Operator, Output } from "@millrace/core";
import type { ChainedOperator, StreamNode } from "@millrace/graph";
import type { HeapTimerService } from "@millrace/state";
import type { RecordWriter } from "../exchange/record-writer.js";

/** What reads one output of an operator: the next operator of the chain, or an edge. */
export type ChainTarget = ChainNode | RecordWriter;

const NEVER_INTERRUPTED = (): boolean => false;

/** One operator of a running chain: who reads it, its metrics, and how control elements pass through it. Records take the path that the compiler made. */
export class ChainNode {
  /** 0 for the head. */
  readonly index: number;
  readonly plan: ChainedOperator;
  readonly stream: StreamNode;
  /** Readers of the main output. */
  readonly targets: ChainTarget[] = [];
  /** Readers of side outputs by tag. */
  readonly sideTargets: Map<string, ChainTarget[]> = new Map();
  readonly timerServices: Map<string, HeapTimerService> = new Map();
  /** Says which operator an error of this one's calls belongs to. */
  blame!: (error: unknown) => unknown;
  /** Set once the operator is made; a chain is made from its ends to its head. */
  operator!: Operator;
  /** Makes the output on first use: everything downstream exists by then. */
  makeOutput!: (node: ChainNode) => Output<unknown>;
  keyedBackend: KeyedStateBackend | undefined;
  inputWatermarkMs: number = MIN_WATERMARK;
  outputWatermarkMs: number = MIN_WATERMARK;
  recordsIn = 0;
  recordsOut = 0;
  #output: Output<unknown> | undefined;
  #readers: readonly ChainTarget[] | undefined;

  constructor(index: number, plan: ChainedOperator, stream: StreamNode) {
    this.index = index;
    this.plan = plan;
    this.stream = stream;
  }

  get name(): string {
    return this.plan.name;
  }

  get output(): Output<unknown> {
    return (this.#output ??= this.makeOutput(this));
  }

  get keySelectors(): readonly (KeySelector<any, any> | undefined)[] {
    return this.stream.keySelectors;
  }

  /** All readers, of the main output and of every side output. Asked for only once the chain is complete. */
  get readers(): readonly ChainTarget[] {
    return (this.#readers ??= [...this.targets, ...[...this.sideTargets.values()].flat()]);
  }

  /** The watermark has passed this operator: on to everybody behind it. */
  forwardWatermark(timestampMs: number): void {
    this.outputWatermarkMs = timestampMs;
    for (const reader of this.readers) {
      if (reader instanceof ChainNode) reader.receiveWatermark(timestampMs);
      else reader.watermark(timestampMs);
    }
  }

  forwardStatus(idle: boolean): void {
    for (const reader of this.readers) {
      if (reader instanceof ChainNode) reader.receiveStatus(idle);
      else reader.status(idle);
    }
  }

  /** Told how old each latency mark is that arrives here. */
  onLatencyMark: ((markedTimeMs: number, operatorId: string, subtaskIndex: number) => void) | undefined;

  receiveLatencyMark(markedTimeMs: number, operatorId: string, subtaskIndex: number): void {
    this.onLatencyMark?.(markedTimeMs, operatorId, subtaskIndex);
    this.forwardLatencyMark(markedTimeMs, operatorId, subtaskIndex);
  }

  forwardLatencyMark(markedTimeMs: number, operatorId: string, subtaskIndex: number): void {
    for (const reader of this.readers) {
      if (reader instanceof ChainNode) reader.receiveLatencyMark(markedTimeMs, operatorId, subtaskIndex);
      else reader.latencyMark(markedTimeMs, operatorId, subtaskIndex);
    }
  }

  /** A watermark inside the chain: taken whole, since the operator before may emit records right after it. */
  receiveWatermark(timestampMs: number): void {
    while (!this.advanceWatermark(timestampMs, NEVER_INTERRUPTED));
  }

  /**
   * Fires timers, then lets the operator (or nobody) hold the watermark up, then forwards it.
   * @returns false when it was interrupted: nothing else may be processed before it was called again and returned true.
   */
  advanceWatermark(timestampMs: number, interrupted: () => boolean): boolean {
    this.inputWatermarkMs = timestampMs;
    try {
      for (const timers of this.timerServices.values()) if (!timers.advanceWatermark(timestampMs, interrupted)) return false;
      if (this.operator.processWatermark !== undefined) return this.operator.processWatermark(timestampMs, this.output) !== false;
    } catch (error) {
      throw this.blame(error);
    }
    this.forwardWatermark(timestampMs);
    return true;
  }

  receiveStatus(idle: boolean): void {
    if (this.operator.processStatus === undefined) this.forwardStatus(idle);
    else this.operator.processStatus(idle, this.output);
  }
}
