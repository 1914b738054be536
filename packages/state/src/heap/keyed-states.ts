import {
  detachValue,
  type AggregateFunction,
  type AggregatingState,
  type ListState,
  type ReduceFn,
  type ReducingState,
  type ValueState,
} from "@millrace/core";
import type { Cell } from "./cells.js";

export class HeapValueState<T> implements ValueState<T> {
  private readonly cell: Cell;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  value(): T | undefined {
    return this.cell.read() as T | undefined;
  }

  update(value: T): void {
    if (typeof value === "number") this.cell.write(value);
    else if (value === undefined) this.cell.remove();
    else this.cell.write(detachValue(value));
  }

  clear(): void {
    this.cell.remove();
  }
}

export class HeapReducingState<T> implements ReducingState<T> {
  private readonly cell: Cell;
  private readonly reduce: ReduceFn<T>;

  constructor(cell: Cell, reduce: ReduceFn<T>) {
    this.cell = cell;
    this.reduce = reduce;
  }

  get(): T | undefined {
    return this.cell.read() as T | undefined;
  }

  add(value: T): void {
    const reduce = this.reduce;
    const accumulator = this.cell.read() as T | undefined;
    const next = accumulator === undefined ? value : reduce(accumulator, value);
    writeAccumulator(this.cell, accumulator, next);
  }

  clear(): void {
    this.cell.remove();
  }
}

export class HeapAggregatingState<IN, ACC, OUT> implements AggregatingState<IN, OUT> {
  private readonly cell: Cell;
  private readonly aggregate: AggregateFunction<IN, ACC, OUT>;

  constructor(cell: Cell, aggregate: AggregateFunction<IN, ACC, OUT>) {
    this.cell = cell;
    this.aggregate = aggregate;
  }

  get(): OUT | undefined {
    const accumulator = this.cell.read() as ACC | undefined;
    return accumulator === undefined ? undefined : this.aggregate.getResult(accumulator);
  }

  add(value: IN): void {
    const accumulator = this.cell.read() as ACC | undefined;
    const next = this.aggregate.add(value, accumulator === undefined ? this.aggregate.createAccumulator() : accumulator);
    writeAccumulator(this.cell, accumulator, next);
  }

  clear(): void {
    this.cell.remove();
  }
}

/** An accumulator that was changed in place is not copied again: that would cost its whole size per record. */
export function writeAccumulator(cell: Cell, previous: unknown, next: unknown): void {
  if (typeof next === "number") cell.write(next);
  else if (next === undefined) cell.remove();
  else cell.write(next === previous ? next : detachValue(next));
}

export class HeapListState<T> implements ListState<T> {
  private readonly cell: Cell;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  /** The elements, in order; empty when there are none. A view: do not keep it. */
  get(): Iterable<T> {
    return (this.cell.read() as T[] | undefined) ?? [];
  }

  add(value: T): void {
    const list = this.cell.read() as T[] | undefined;
    if (list === undefined) this.cell.write([detachValue(value)]);
    else list.push(detachValue(value));
  }

  addAll(values: Iterable<T>): void {
    const added = Array.from(values, (value) => detachValue(value));
    if (added.length === 0) return;
    const list = this.cell.read() as T[] | undefined;
    if (list === undefined) this.cell.write(added);
    else for (const value of added) list.push(value);
  }

  update(values: readonly T[]): void {
    if (values.length === 0) this.cell.remove();
    else this.cell.write(Array.from(values, (value) => detachValue(value)));
  }

  clear(): void {
    this.cell.remove();
  }
}
