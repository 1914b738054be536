import { MAX_WATERMARK, type OneInputOperator, type OperatorContext, type Output, type RecordBatch, type ReduceFn, type Slice, type StateInitializationContext } from "@millrace/core";
import type { KeyedReduceSpec } from "@millrace/graph";
import { EMISSION_BUDGET } from "./emission-budget.js";
import { keyedFieldReduce } from "./keyed-field-reduce.js";
import { FunctionOperator } from "./function-operator.js";
import type { OperatorInfo } from "./operator-info.js";
import { KeyRun, upsertRun } from "./key-run.js";
import { specialize } from "./specialize.js";
import { refusePromise, resolveFunction } from "./user-function.js";

type Make = (context: OperatorContext, reduce: ReduceFn<unknown>, rich: object | undefined, keyOf: (value: unknown) => unknown) => OneInputOperator;

/** Re-evaluated per operator, see `specialize`. */
function rollingReduceFactory(Base: typeof FunctionOperator, refuse: typeof refusePromise, Run: typeof KeyRun, upsert: typeof upsertRun): Make {
  class RollingReduce extends Base implements OneInputOperator {
    private readonly reduce: ReduceFn<unknown>;
    private readonly keyOf: (value: unknown) => unknown;
    /** A rich function may use keyed state of its own, so the key is made current for it. */
    private readonly needsKey: boolean;
    private readonly run: KeyRun;
    private accumulators: Slice<unknown, unknown> | undefined = undefined;
    private checked = false;

    constructor(context: OperatorContext, reduce: ReduceFn<unknown>, rich: object | undefined, keyOf: (value: unknown) => unknown) {
      super(context, rich);
      this.needsKey = rich !== undefined;
      this.run = new Run();
      this.reduce = reduce;
      this.keyOf = keyOf;
    }

    protected override setup(_context: StateInitializationContext): void {
      this.accumulators = this.context.keyedState.sliceTable("reduce").slice(0);
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const state = this.context.keyedState;
      this.add(value, timestampMs, this.accumulators!.upsert(state.currentKey, state.currentKeyHash), out);
    }

    processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      const { values, timestampsMs } = batch;
      const state = this.context.keyedState;
      const { run, needsKey } = this;
      for (let start = from; start < to; ) {
        const end = upsert(run, this.accumulators!, state, this.keyOf, batch, start, to);
        const { keys, hashes, positions } = run;
        for (let i = start; i < end; i++) {
          const at = i - start;
          if (needsKey) state.setCurrentKey(keys[at], hashes[at]!);
          this.add(values[i], timestampsMs[i]!, positions[at]!, out);
        }
        start = end;
      }
    }

    private add(value: unknown, timestampMs: number, position: number, out: Output<unknown>): void {
      const accumulators = this.accumulators!;
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
  if (spec.fieldReduction !== undefined) return keyedFieldReduce(context, call, spec.fieldReduction, info.keySelectors[0]!);
  const make = specialize(rollingReduceFactory, context.operatorId)(FunctionOperator, refusePromise, KeyRun, upsertRun);
  return make(context, call, rich, info.keySelectors[0]!);
}
