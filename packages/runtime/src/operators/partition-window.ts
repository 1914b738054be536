import {
  ListStateDescriptor, MAX_WATERMARK, MillraceError, NO_TIMESTAMP,
  type AggregateFunction, type MapPartitionFn, type OneInputOperator, type Operator, type OperatorContext, type OperatorListState, type Output,
  type ReduceFn, type Slice, type SliceTable, type StateInitializationContext,
} from "@millrace/core";
import type { PartitionWindowSpec } from "@millrace/graph";
import { EMISSION_BUDGET } from "./emission-budget.js";
import { compareNatural } from "./natural-order.js";
import { TimestampedCollector } from "./timestamped-collector.js";
import { refusePromise } from "./user-function.js";

/** What is kept of a partition until its end, and what comes of it: all records, or one accumulator. */
interface PartitionBody {
  /** `kept` is `undefined` for the first record. May change and return it. */
  add(kept: unknown, value: unknown): unknown;
  emit(kept: unknown, timestampMs: number, out: Output<unknown>): void;
  /** Puts two parts of a partition together, after a change of parallelism. */
  merge(a: unknown, b: unknown): unknown;
}

function bodyOf(spec: PartitionWindowSpec, operatorName: string): PartitionBody {
  if (spec.reduce !== undefined) return reducing(spec.reduce);
  if (spec.aggregate !== undefined) return aggregating(spec.aggregate, operatorName);
  const emit = spec.sort !== undefined ? sorting(spec.sort) : mapping(spec.mapPartition!, operatorName);
  return {
    add: (kept, value) => {
      if (kept === undefined) return [value];
      (kept as unknown[]).push(value);
      return kept;
    },
    emit: (kept, timestampMs, out) => emit(kept as unknown[], timestampMs, out),
    merge: (a, b) => [...(a as unknown[]), ...(b as unknown[])],
  };
}

function reducing(reduce: ReduceFn<unknown>): PartitionBody {
  return {
    add: (kept, value) => (kept === undefined ? value : reduce(kept, value)),
    emit: (kept, timestampMs, out) => out.collect(kept, timestampMs),
    merge: (a, b) => reduce(a, b),
  };
}

function aggregating(aggregate: AggregateFunction<unknown, unknown, unknown>, operatorName: string): PartitionBody {
  return {
    add: (kept, value) => aggregate.add(value, kept === undefined ? aggregate.createAccumulator() : kept),
    emit: (kept, timestampMs, out) => out.collect(aggregate.getResult(kept), timestampMs),
    merge: (a, b) => {
      if (aggregate.merge !== undefined) return aggregate.merge(a, b);
      throw new MillraceError({
        code: "AGGREGATE_CANNOT_MERGE",
        message: `"${operatorName}" was restored with a smaller parallelism, and its aggregate function has no merge()`,
        hint: "implement merge(a, b), or restore with the old parallelism",
        location: { operator: operatorName },
      });
    },
  };
}

type EmitAll = (values: unknown[], timestampMs: number, out: Output<unknown>) => void;

function sorting(sort: NonNullable<PartitionWindowSpec["sort"]>): EmitAll {
  const direction = sort.order === "ascending" ? 1 : -1;
  return (values, timestampMs, out) => {
    const keyed = values.map((value) => ({ value, by: sort.selector(value) as unknown }));
    keyed.sort((a, b) => direction * compareNatural(a.by, b.by));
    for (const { value } of keyed) out.collect(value, timestampMs);
  };
}

function mapping(mapPartition: MapPartitionFn<unknown, unknown>, operatorName: string): EmitAll {
  const collector = new TimestampedCollector();
  return (values, timestampMs, out) => {
    const result: unknown = mapPartition(values, collector.at(timestampMs, out));
    if (result !== undefined) refusePromise(result, operatorName);
  };
}

/** Everything one subtask received. */
class SubtaskPartition implements OneInputOperator {
  readonly #body: PartitionBody;
  #kept: unknown = undefined;
  #state: OperatorListState<unknown> | undefined;

  constructor(body: PartitionBody) {
    this.#body = body;
  }

  open(context: StateInitializationContext): void {
    this.#state = context.operatorState.getListState(new ListStateDescriptor<unknown>("partition"));
    for (const part of this.#state.get()) this.#kept = this.#kept === undefined ? part : this.#body.merge(this.#kept, part);
  }

  processRecord(value: unknown): void {
    this.#kept = this.#body.add(this.#kept, value);
  }

  snapshotState(): void {
    this.#state!.update(this.#kept === undefined ? [] : [this.#kept]);
  }

  endInput(_index: number, out: Output<unknown>): void {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) this.#body.emit(kept, NO_TIMESTAMP, out);
  }
}

/** Everything a key received. */
class KeyPartition implements OneInputOperator {
  readonly #context: OperatorContext;
  readonly #body: PartitionBody;
  #tables: SliceTable<unknown, unknown> | undefined;
  #table: Slice<unknown, unknown> | undefined;
  #emitted = 0;

  constructor(context: OperatorContext, body: PartitionBody) {
    this.#context = context;
    this.#body = body;
  }

  open(): void {
    this.#tables = this.#context.keyedState.sliceTable<unknown>("partition");
    this.#table = this.#tables.slice(0);
  }

  processRecord(value: unknown): void {
    const state = this.#context.keyedState;
    const table = this.#table!;
    const position = table.upsert(state.currentKey, state.currentKeyHash);
    table.set(position, this.#body.add(table.get(position), value));
  }

  processWatermark(timestampMs: number, out: Output<unknown>): boolean | void {
    // Results belong to the end of time: they go out before the watermark that says so.
    if (timestampMs === MAX_WATERMARK && !this.endInput(0, out)) return false;
    out.emitWatermark(timestampMs);
  }

  endInput(_index: number, out: Output<unknown>): boolean {
    const table = this.#table!;
    const end = Math.min(table.size, this.#emitted + EMISSION_BUDGET);
    while (this.#emitted < end && !out.blocked) this.#body.emit(table.get(this.#emitted++), MAX_WATERMARK, out);
    if (this.#emitted < table.size) return false;
    // Whoever is restored from a later checkpoint comes to the end once more.
    this.#tables!.drop(0);
    this.#table = this.#tables!.slice(0);
    this.#emitted = 0;
    return true;
  }
}

/** `fullWindowPartition`: maps, sorts, reduces or aggregates everything a subtask (keyed: a key) received, once its bounded input has ended. */
export function partitionWindow(spec: PartitionWindowSpec, context: OperatorContext): Operator {
  const body = bodyOf(spec, context.operatorName);
  return spec.keyed ? new KeyPartition(context, body) : new SubtaskPartition(body);
}
