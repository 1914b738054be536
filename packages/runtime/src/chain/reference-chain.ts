import type { OneInputOperator, Output, OutputTag, RecordBatch, TwoInputOperator, MultipleInputOperator } from "@millrace/core";
import type { RecordWriter } from "../exchange/record-writer.js";
import type { OutputPressure } from "../exchange/output-channel.js";
import type { CombinedInput } from "../operators/window/combined-input.js";
import { ChainNode, type ChainTarget } from "./chain-node.js";
import type { ChainEntry } from "./chain-entry.js";
import { deepFreeze } from "./deep-freeze.js";
import { locateError } from "./task-error.js";

/** The uncompiled output of an operator: what the compiled one must equal. */
class ReferenceOutput implements Output<unknown> {
  readonly #node: ChainNode;
  readonly #pressure: OutputPressure;
  readonly #freeze: boolean;
  readonly #subtask: number;

  constructor(node: ChainNode, pressure: OutputPressure, freeze: boolean, subtask: number) {
    this.#node = node;
    this.#pressure = pressure;
    this.#freeze = freeze;
    this.#subtask = subtask;
  }

  collect(value: unknown, timestampMs: number): void {
    this.#node.recordsOut++;
    this.#deliver(this.#node.targets, value, timestampMs);
  }

  sideOutput<X>(tag: OutputTag<X>, value: X, timestampMs: number): void {
    const targets = this.#node.sideTargets.get(tag.id);
    if (targets !== undefined) this.#deliver(targets, value, timestampMs);
  }

  emitWatermark(timestampMs: number): void {
    this.#node.forwardWatermark(timestampMs);
  }

  emitStatus(idle: boolean): void {
    this.#node.forwardStatus(idle);
  }

  get blocked(): boolean {
    return this.#pressure.blockedChannels > 0;
  }

  #deliver(targets: readonly ChainTarget[], value: unknown, timestampMs: number): void {
    if (this.#freeze) deepFreeze(value);
    for (const target of targets) {
      if (target instanceof ChainNode) acceptRecord(target, value, timestampMs, this.#subtask);
      else this.#write(target, value, timestampMs);
    }
  }

  /** A key selector or partitioner that throws is the fault of the operator before the edge. */
  #write(writer: RecordWriter, value: unknown, timestampMs: number): void {
    try {
      writer.emit(value, timestampMs);
    } catch (error) {
      throw locateError(error, this.#node.name, this.#node.plan.id, this.#subtask);
    }
  }
}

function acceptRecord(node: ChainNode, value: unknown, timestampMs: number, subtask: number): void {
  node.recordsIn++;
  try {
    const selector = node.keySelectors[0];
    if (node.keyedBackend !== undefined && selector !== undefined) node.keyedBackend.setCurrentKey(selector(value));
    (node.operator as OneInputOperator).processRecord(value, timestampMs, node.output);
  } catch (error) {
    throw locateError(error, node.name, node.plan.id, subtask);
  }
}

export function referenceOutput(node: ChainNode, pressure: OutputPressure, freeze: boolean, subtask: number): Output<unknown> {
  return new ReferenceOutput(node, pressure, freeze, subtask);
}

/** The uncompiled way into a chain whose head is a source: its records go to whoever reads it. */
export function referenceSourceEntry(head: ChainNode): ChainEntry {
  return (batch, from, to) => {
    const output = head.output;
    for (let i = from; i < to; i++) output.collect(batch.values[i], batch.timestampsMs[i]!);
  };
}

/** The uncompiled way into a chain at input `input` of its head. */
export function referenceEntry(head: ChainNode, input: number, subtask: number): ChainEntry {
  const selector = head.keySelectors[input];
  const inputs = head.plan.numberOfInputs;
  const call = (value: unknown, timestampMs: number): void => {
    if (head.stream.spec.type === "custom" && inputs > 2) (head.operator as MultipleInputOperator).processInputRecord(input, value, timestampMs, head.output);
    else if (inputs < 2) (head.operator as OneInputOperator).processRecord(value, timestampMs, head.output);
    else if (input === 0) (head.operator as TwoInputOperator).processRecord1(value, timestampMs, head.output);
    else (head.operator as TwoInputOperator).processRecord2(value, timestampMs, head.output);
  };
  return (batch: RecordBatch, from: number, to: number) => {
    head.recordsIn += to - from;
    try {
      if (batch.combined) return (head.operator as CombinedInput).processCombined(batch, from, to, head.output);
      for (let i = from; i < to; i++) {
        const value = batch.values[i];
        if (head.keyedBackend !== undefined && selector !== undefined) head.keyedBackend.setCurrentKey(selector(value), batch.keyHashes?.[i]);
        call(value, batch.timestampsMs[i]!);
      }
    } catch (error) {
      throw locateError(error, head.name, head.plan.id, subtask);
    }
  };
}
