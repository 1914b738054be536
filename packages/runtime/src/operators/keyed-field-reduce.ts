import type { OneInputOperator, OperatorContext, Output, RecordBatch, ReduceFn, Slice } from "@millrace/core";
import type { FieldReduction } from "@millrace/graph";
import { FunctionOperator } from "./function-operator.js";
import { KeyRun, upsertRun } from "./key-run.js";
import { specialize } from "./specialize.js";
import { SplitRecords } from "./split-records.js";

type Make = (context: OperatorContext, reduce: ReduceFn<unknown>, reduction: FieldReduction, keyOf: (value: unknown) => unknown) => OneInputOperator;

/** What the operator needs, since its text is evaluated apart. */
const parts = { Base: FunctionOperator, Run: KeyRun, Split: SplitRecords, upsertRun };

/** Re-evaluated per operator, see `specialize`. */
function fieldReduceFactory({ Base, Run, Split, upsertRun: upsert }: typeof parts): Make {
  /**
   * Rolling reduce of one field. What is kept per key is a record, but where its field is a number only that number is in the state's table; the rest of
   * the record is beside it, or nowhere at all when it is but the key. So a record reads and writes one number, where a reduce by new objects follows
   * pointers through the heap and replaces an old object by a young one. Snapshots get whole records.
   *
   * What does not fit (records of another shape, other types, NaN) is kept whole and reduced by the function.
   */
  class KeyedFieldReduce extends Base implements OneInputOperator {
    private readonly reduce: ReduceFn<unknown>;
    private readonly reduction: FieldReduction;
    private readonly keyOf: (value: unknown) => unknown;
    private readonly run: KeyRun;
    /** Numbers, and whole records. */
    private table: Slice<unknown, unknown> | undefined = undefined;
    private split: SplitRecords | undefined = undefined;

    constructor(context: OperatorContext, reduce: ReduceFn<unknown>, reduction: FieldReduction, keyOf: (value: unknown) => unknown) {
      super(context, undefined);
      this.reduce = reduce;
      this.reduction = reduction;
      this.keyOf = keyOf;
      this.run = new Run();
    }

    protected override setup(): void {
      this.table = this.context.keyedState.sliceTable<unknown>("reduce").slice(0);
      this.split = new Split(this.table, this.reduction);
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const { currentKey, currentKeyHash } = this.context.keyedState;
      this.add(this.table!.upsert(currentKey, currentKeyHash), currentKey, value, timestampMs, out);
    }

    processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      const { values, timestampsMs } = batch;
      const { run } = this;
      const { keys, positions } = run;
      for (let start = from; start < to; ) {
        const end = upsert(run, this.table!, this.context.keyedState, this.keyOf, batch, start, to);
        for (let i = start; i < end; i++) this.add(positions[i - start]!, keys[i - start], values[i], timestampsMs[i]!, out);
        start = end;
      }
    }

    private add(position: number, key: unknown, value: unknown, timestampMs: number, out: Output<unknown>): void {
      const table = this.table!;
      const split = this.split!;
      const { reducer } = split;
      const kept = table.get(position);
      if (reducer !== undefined && typeof kept === "number") {
        const operand = reducer.read(value);
        const next: number = typeof operand === "number" ? reducer.combine(kept, operand) : NaN;
        if (next === next) {
          table.set(position, next);
          const record = split.records.used ? split.records.get(position) : undefined;
          out.collect(record === undefined ? reducer.fromKey(key, next) : reducer.withField(record, next), timestampMs);
          return;
        }
      }
      const result = kept === undefined ? value : this.reduce(split.whole(position, key, kept), value);
      split.keep(position, key, result);
      out.collect(result, timestampMs);
    }
  }
  return (context, reduce, reduction, keyOf) => new KeyedFieldReduce(context, reduce, reduction, keyOf);
}

/** Rolling reduce that replaces one field of a key's first record: `sum`, `min` and `max` of a field. */
export function keyedFieldReduce(context: OperatorContext, reduce: ReduceFn<unknown>, reduction: FieldReduction, keyOf: (value: unknown) => unknown): OneInputOperator {
  return specialize(fieldReduceFactory, context.operatorId)(parts)(context, reduce, reduction, keyOf);
}
