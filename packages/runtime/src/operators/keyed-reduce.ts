import { MAX_WATERMARK, type OneInputOperator, type OperatorContext, type Output, type RecordBatch, type ReduceFn, type Slice, type StateInitializationContext } from "@millrace/core";
import type { KeyedReduceSpec } from "@millrace/graph";
import { EMISSION_BUDGET } from "./emission-budget.js";
import { FunctionOperator } from "./function-operator.js";
import type { OperatorInfo } from "./operator-info.js";
import { specialize } from "./specialize.js";
import { refusePromise, resolveFunction } from "./user-function.js";

type Make = (context: OperatorContext, reduce: ReduceFn<unknown>, rich: object | undefined, keyOf: (value: unknown) => unknown) => OneInputOperator;

/** Re-evaluated per operator, see `specialize`. */
function rollingReduceFactory(Base: typeof FunctionOperator, refuse: typeof refusePromise): Make {
  class RollingReduce extends Base implements OneInputOperator {
    private readonly reduce: ReduceFn<unknown>;
    private readonly keyOf: (value: unknown) => unknown;
    private accumulators: Slice<unknown, unknown> | undefined = undefined;
    private checked = false;

    constructor(context: OperatorContext, reduce: ReduceFn<unknown>, rich: object | undefined, keyOf: (value: unknown) => unknown) {
      super(context, rich);
      this.reduce = reduce;
      this.keyOf = keyOf;
    }

    protected override setup(_context: StateInitializationContext): void {
      this.accumulators = this.context.keyedState.sliceTable("reduce").slice(0);
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const state = this.context.keyedState;
      this.add(value, timestampMs, state.currentKey, state.currentKeyHash, out);
    }

    processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      const { values, timestampsMs, keyHashes } = batch;
      const state = this.context.keyedState;
      for (let i = from; i < to; i++) {
        const value = values[i];
        const key = this.keyOf(value);
        // A rich function may use keyed state of its own, so the key is always made current.
        if (keyHashes === null) state.setCurrentKey(key);
        else state.setCurrentKey(key, keyHashes[i]!);
        this.add(value, timestampsMs[i]!, key, state.currentKeyHash, out);
      }
    }

    private add(value: unknown, timestampMs: number, key: unknown, hash: number, out: Output<unknown>): void {
      const accumulators = this.accumulators!;
      const position = accumulators.upsert(key, hash);
      const accumulator = accumulators.get(position);
      let next = value;
      if (accumulator !== undefined) {
        next = this.reduce(accumulator, value);
        if (!this.checked) {
          refuse(next, this.context.operatorName);
          this.checked = true;
        }
      }
      accumulators.set(position, next);
      out.collect(next, timestampMs);
    }
  }
  return (context, reduce, rich, keyOf) => new RollingReduce(context, reduce, rich, keyOf);
}

/** Batch mode: reduces silently and emits each key's result once, at the end of input. */
class FinalReduce extends FunctionOperator implements OneInputOperator {
  private readonly reduce: ReduceFn<unknown>;
  private accumulators: Slice<unknown, unknown> | undefined;
  private checked = false;
  private emitted = 0;

  constructor(context: OperatorContext, reduce: ReduceFn<unknown>, rich: object | undefined) {
    super(context, rich);
    this.reduce = reduce;
  }

  protected override setup(_context: StateInitializationContext): void {
    this.accumulators = this.context.keyedState.sliceTable<unknown>("reduce").slice(0);
  }

  processRecord(value: unknown): void {
    const state = this.context.keyedState;
    const accumulators = this.accumulators!;
    const position = accumulators.upsert(state.currentKey, state.currentKeyHash);
    const accumulator = accumulators.get(position);
    if (accumulator === undefined) {
      accumulators.set(position, value);
      return;
    }
    const next = this.reduce(accumulator, value);
    if (!this.checked) {
      refusePromise(next, this.context.operatorName);
      this.checked = true;
    }
    accumulators.set(position, next);
  }

  processWatermark(timestampMs: number, out: Output<unknown>): boolean | void {
    // Results go out before the watermark that makes everything after it late.
    if (timestampMs === MAX_WATERMARK && !this.#emit(out)) return false;
    out.emitWatermark(timestampMs);
  }

  endInput(_index: number, out: Output<unknown>): boolean | void {
    return this.#emit(out);
  }

  /** False when it stopped early. */
  #emit(out: Output<unknown>): boolean {
    const accumulators = this.accumulators!;
    const end = Math.min(accumulators.size, this.emitted + EMISSION_BUDGET);
    while (this.emitted < end && !out.blocked) out.collect(accumulators.get(this.emitted++), MAX_WATERMARK);
    return this.emitted === accumulators.size;
  }
}

/** Rolling reduce per key: every record emits its key's new accumulator at the record's time. In batch mode one result per key, at the end of input. */
export function keyedReduce(spec: KeyedReduceSpec, context: OperatorContext, info: OperatorInfo): OneInputOperator {
  const { call, rich } = resolveFunction<ReduceFn<unknown>>(spec.fn, context.operatorName, "reduce");
  if (info.runtimeMode === "BATCH") return new FinalReduce(context, call, rich);
  const make = specialize(rollingReduceFactory, context.operatorId)(FunctionOperator, refusePromise);
  return make(context, call, rich, info.keySelectors[0]!);
}
