import { detachValue, type Clock, type ListState, type MapState, type StateTtlConfig } from "@millrace/core";
import type { Cell } from "./cells.js";
import { StateMap } from "./state-map.js";

/** A value and when it was last created, written or (if so configured) read, in processing time. */
export class TtlValue<T = unknown> {
  value: T;
  atMs: number;

  constructor(value: T, atMs: number) {
    this.value = value;
    this.atMs = atMs;
  }
}

/** Decides about expiry, for one state. A value expires `ttlMs` after its time stamp. */
export class TtlPolicy {
  readonly ttlMs: number;
  readonly renewOnRead: boolean;
  readonly returnExpired: boolean;
  private readonly clock: Clock;

  constructor(config: StateTtlConfig, clock: Clock) {
    this.ttlMs = config.ttlMs;
    this.renewOnRead = config.updateType === "OnReadAndWrite";
    this.returnExpired = config.visibility === "ReturnExpiredIfNotCleanedUp";
    this.clock = clock;
  }

  nowMs(): number {
    return this.clock.nowMs();
  }

  isExpired(value: TtlValue, nowMs: number): boolean {
    return value.atMs + this.ttlMs <= nowMs;
  }

  wrap<T>(value: T): TtlValue<T> {
    return new TtlValue(value, this.clock.nowMs());
  }

  /** Whether a read may return `value`; renews it when reads do. */
  read(value: TtlValue, nowMs: number): boolean {
    if (this.isExpired(value, nowMs)) return this.returnExpired;
    if (this.renewOnRead) value.atMs = nowMs;
    return true;
  }
}

/** Adds expiry to a cell that holds one value; what is expired is removed when it is met (and returned once, where that is wanted). */
export class TtlCell implements Cell {
  private readonly inner: Cell;
  private readonly policy: TtlPolicy;
  private readonly touched: () => void;

  constructor(inner: Cell, policy: TtlPolicy, touched: () => void) {
    this.inner = inner;
    this.policy = policy;
    this.touched = touched;
  }

  read(): unknown {
    this.touched();
    const held = this.inner.read() as TtlValue | undefined;
    if (held === undefined) return undefined;
    const nowMs = this.policy.nowMs();
    if (this.policy.isExpired(held, nowMs)) {
      this.inner.remove();
      return this.policy.returnExpired ? held.value : undefined;
    }
    if (this.policy.renewOnRead) held.atMs = nowMs;
    return held.value;
  }

  write(payload: unknown): void {
    this.touched();
    this.inner.write(this.policy.wrap(payload));
  }

  remove(): void {
    this.inner.remove();
  }
}

/** List state whose elements expire one by one. */
export class TtlListState<T> implements ListState<T> {
  private readonly cell: Cell;
  private readonly policy: TtlPolicy;
  private readonly touched: () => void;

  constructor(cell: Cell, policy: TtlPolicy, touched: () => void) {
    this.cell = cell;
    this.policy = policy;
    this.touched = touched;
  }

  get(): Iterable<T> {
    this.touched();
    const list = this.cell.read() as TtlValue<T>[] | undefined;
    if (list === undefined) return [];
    const nowMs = this.policy.nowMs();
    const visible = list.filter((element) => this.policy.read(element, nowMs)).map((element) => element.value);
    if (visible.length < list.length || this.policy.returnExpired) this.dropExpired(list, nowMs);
    return visible;
  }

  add(value: T): void {
    this.addAll([value]);
  }

  addAll(values: Iterable<T>): void {
    this.touched();
    const added = Array.from(values, (value) => this.policy.wrap(detachValue(value)));
    if (added.length === 0) return;
    const list = this.cell.read() as TtlValue<T>[] | undefined;
    if (list === undefined) this.cell.write(added);
    else for (const element of added) list.push(element);
  }

  update(values: readonly T[]): void {
    this.touched();
    if (values.length === 0) this.cell.remove();
    else this.cell.write(Array.from(values, (value) => this.policy.wrap(detachValue(value))));
  }

  clear(): void {
    this.cell.remove();
  }

  private dropExpired(list: TtlValue<T>[], nowMs: number): void {
    const kept = list.filter((element) => !this.policy.isExpired(element, nowMs));
    if (kept.length === list.length) return;
    if (kept.length === 0) this.cell.remove();
    else this.cell.write(kept);
  }
}

/** Map state whose entries expire one by one. */
export class TtlMapState<K, V> implements MapState<K, V> {
  private readonly cell: Cell;
  private readonly policy: TtlPolicy;
  private readonly touched: () => void;

  constructor(cell: Cell, policy: TtlPolicy, touched: () => void) {
    this.cell = cell;
    this.policy = policy;
    this.touched = touched;
  }

  get(key: K): V | undefined {
    return this.visible(key)?.value;
  }

  contains(key: K): boolean {
    return this.visible(key) !== undefined;
  }

  put(key: K, value: V): void {
    this.touched();
    let map = this.map();
    if (map === undefined) this.cell.write((map = new StateMap<K, TtlValue<V>>()));
    map.set(key, this.policy.wrap(detachValue(value)));
  }

  putAll(entries: Iterable<readonly [K, V]>): void {
    for (const [key, value] of entries) this.put(key, value);
  }

  remove(key: K): void {
    this.touched();
    const map = this.map();
    if (map !== undefined) this.delete(map, key);
  }

  *entries(): Iterable<readonly [K, V]> {
    this.touched();
    const map = this.map();
    if (map === undefined) return;
    const nowMs = this.policy.nowMs();
    for (const [key, held] of map.entries()) {
      const visible = this.policy.read(held, nowMs);
      if (this.policy.isExpired(held, nowMs)) this.delete(map, key);
      if (visible) yield [key, held.value];
    }
  }

  *keys(): Iterable<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Iterable<V> {
    for (const [, value] of this.entries()) yield value;
  }

  isEmpty(): boolean {
    const map = this.map();
    if (map === undefined) return true;
    if (this.policy.returnExpired) return false;
    const nowMs = this.policy.nowMs();
    for (const [, held] of map.entries()) if (!this.policy.isExpired(held, nowMs)) return false;
    return true;
  }

  clear(): void {
    this.cell.remove();
  }

  private visible(key: K): TtlValue<V> | undefined {
    this.touched();
    const map = this.map();
    const held = map?.get(key);
    if (map === undefined || held === undefined) return undefined;
    const nowMs = this.policy.nowMs();
    const visible = this.policy.read(held, nowMs);
    if (this.policy.isExpired(held, nowMs)) this.delete(map, key);
    return visible ? held : undefined;
  }

  private delete(map: StateMap<K, TtlValue<V>>, key: K): void {
    if (map.delete(key) && map.size === 0) this.cell.remove();
  }

  private map(): StateMap<K, TtlValue<V>> | undefined {
    return this.cell.read() as StateMap<K, TtlValue<V>> | undefined;
  }
}
