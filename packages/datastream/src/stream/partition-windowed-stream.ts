import type { AggregateFunction, KeySelector, MapPartitionFn, ReduceFn } from "@millrace/core";
import { MillraceError } from "@millrace/core";
import type { PartitionWindowSpec } from "@millrace/graph";
import { checkPlainFunction } from "../functions/user-function.js";
import { checkAggregate } from "./check-aggregate.js";
import type { ComparableField } from "../functions/fields.js";
import type { DataStream, SingleOutputStreamOperator } from "./data-stream.js";

/** Which of the values comes first. */
export type SortOrder = "ascending" | "descending";

/** Everything one subtask receives, processed at the end of bounded input. Flink: PartitionWindowedStream. */
export class PartitionWindowedStream<T> {
  readonly #stream: DataStream<T>;
  protected readonly keyed: boolean = false;

  constructor(stream: DataStream<T>) {
    this.#stream = stream;
  }

  mapPartition<R>(fn: MapPartitionFn<T, R>): SingleOutputStreamOperator<R> {
    checkPlainFunction(fn, "mapPartition");
    return this.add<R>("MapPartition", { mapPartition: fn });
  }
  /** Emits the records in the order of a field or of what a selector gives; equal ones in the order they came. */
  sortPartition(by: ComparableField<T> | KeySelector<T, number | string | bigint | boolean | Date>, order: SortOrder): SingleOutputStreamOperator<T> {
    if (order !== "ascending" && order !== "descending") {
      throw new MillraceError({ code: "SORT_ORDER_INVALID", message: `"${String(order)}" is not a sort order`, hint: 'use "ascending" or "descending"' });
    }
    return this.add<T>("SortPartition", { sort: { selector: this.#stream.selectorOf([by], "sortPartition"), order } });
  }
  reduce(fn: ReduceFn<T>): SingleOutputStreamOperator<T> {
    checkPlainFunction(fn, "reduce");
    return this.add<T>("PartitionReduce", { reduce: fn });
  }
  aggregate<ACC, R>(aggregate: AggregateFunction<T, ACC, R>): SingleOutputStreamOperator<R> {
    checkAggregate(aggregate);
    return this.add<R>("PartitionAggregate", { aggregate });
  }

  private add<R>(name: string, what: Omit<PartitionWindowSpec, "type" | "keyed">): SingleOutputStreamOperator<R> {
    return this.#stream.addOperator<R>(name, { type: "partitionWindow", keyed: this.keyed, ...what });
  }
}

/** As {@link PartitionWindowedStream}, per key. */
export class KeyedPartitionWindowedStream<T, K> extends PartitionWindowedStream<T> {
  protected override readonly keyed: boolean = true;
  /** Only for the compiler. */
  declare readonly key?: K;
}
