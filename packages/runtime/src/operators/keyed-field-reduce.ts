import { detachValue } from "@millrace/core";
import type { OneInputOperator, OperatorContext, Output, RecordBatch, ReduceFn, Slice } from "@millrace/core";
import type { FieldReduction } from "@millrace/graph";
import { fieldReducerFor, type FieldReducer } from "./field-reducer.js";
import { FunctionOperator } from "./function-operator.js";
import { KeyRun, upsertRun } from "./key-run.js";
import { RecordPages } from "./record-pages.js";
import { specialize } from "./specialize.js";

type Make = (context: OperatorContext, reduce: ReduceFn<unknown>, reduction: FieldReduction, keyOf: (value: unknown) => unknown) => OneInputOperator;

/** What the operator needs, since its text is evaluated apart. */
const parts = { Base: FunctionOperator, Run: KeyRun, Pages: RecordPages, upsertRun, fieldReducerFor, detachValue };

/** Re-evaluated per operator, see `specialize`. */
function fieldReduceFactory({ Base, Run, Pages, upsertRun: upsert, fieldReducerFor: reducerFor, detachValue: detach }: typeof parts): Make {
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
    /** By position: the record that a number is the field of, unless it is its key and the number. */
    private readonly records: RecordPages;
    private splits = false;
    private reducer: FieldReducer | undefined = undefined;
    private learnt = false;

    constructor(context: OperatorContext, reduce: ReduceFn<unknown>, reduction: FieldReduction, keyOf: (value: unknown) => unknown) {
      super(context, undefined);
      this.reduce = reduce;
      this.reduction = reduction;
      this.keyOf = keyOf;
      this.run = new Run();
      this.records = new Pages();
    }

    protected override setup(): void {
      const table = this.context.keyedState.sliceTable<unknown>("reduce").slice(0);
      this.table = table;
      this.splits = table.composeValues !== undefined;
      table.composeValues?.((position, kept) => this.whole(position, table.keyAt(position), kept));
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
      const { reducer } = this;
      const table = this.table!;
      const kept = table.get(position);
      if (reducer !== undefined && typeof kept === "number") {
        const operand = reducer.read(value);
        const next: number = typeof operand === "number" ? reducer.combine(kept, operand) : NaN;
        if (next === next) {
          table.set(position, next);
          const record = this.records.used ? this.records.get(position) : undefined;
          out.collect(record === undefined ? reducer.fromKey(key, next) : reducer.withField(record, next), timestampMs);
          return;
        }
      }
      const result = kept === undefined ? value : this.reduce(this.whole(position, key, kept), value);
      this.keep(position, key, result);
      out.collect(result, timestampMs);
    }

    private keep(position: number, key: unknown, record: unknown): void {
      if (!this.learnt) {
        this.reducer = this.splits ? reducerFor(record, this.reduction) : undefined;
        this.learnt = true;
      }
      const { reducer, records } = this;
      const table = this.table!;
      if (records.used) records.set(position, undefined);
      // Where numbers are fields, one that is a record itself, and so has none, is as good as an empty record.
      if (reducer === undefined || !reducer.fits(record)) return table.set(position, reducer !== undefined && typeof record === "number" ? {} : record);
      const number = reducer.read(record);
      if (typeof number !== "number" || number !== number) return table.set(position, record);
      table.set(position, number);
      if (!reducer.isKeyOnly(record, key)) records.set(position, detach(record));
    }

    private whole(position: number, key: unknown, kept: unknown): unknown {
      if (typeof kept !== "number" || this.reducer === undefined) return kept;
      const record = this.records.get(position);
      return record === undefined ? this.reducer.fromKey(key, kept) : this.reducer.withField(record, kept);
    }
  }
  return (context, reduce, reduction, keyOf) => new KeyedFieldReduce(context, reduce, reduction, keyOf);
}

/** Rolling reduce that replaces one field of a key's first record: `sum`, `min` and `max` of a field. */
export function keyedFieldReduce(context: OperatorContext, reduce: ReduceFn<unknown>, reduction: FieldReduction, keyOf: (value: unknown) => unknown): OneInputOperator {
  return specialize(fieldReduceFactory, context.operatorId)(parts)(context, reduce, reduction, keyOf);
}
