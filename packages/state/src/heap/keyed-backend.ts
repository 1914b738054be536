import type {
  AggregatingState,
  AggregatingStateDescriptor,
  Clock,
  KeyedState,
  KeyedStateBackend,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  NamespacedState,
  ReducingState,
  ReducingStateDescriptor,
  SliceTable,
  StateDescriptor,
  TimerHandler,
  Output,
  ValueState,
  ValueStateDescriptor,
} from "@millrace/core";
import { KeyedSnapshot } from "../snapshot/keyed-snapshot.js";
import { RowHistory, type RowHistoryLimits } from "../snapshot/row-history.js";
import { restoreInto, type RestorePart } from "../snapshot/keyed-restore.js";
import { HeapTimerService } from "../timers/heap-timer-service.js";
import { TimerQueue } from "../timers/timer-queue.js";
import { KeyCursor, noCurrentKey } from "./key-cursor.js";
import type { KeyTable } from "./key-table.js";
import { HeapSliceTable } from "./slice-table.js";
import { RowFetcher } from "./row-fetcher.js";
import { StateRegistry } from "./state-registry.js";

export interface HeapKeyedStateBackendOptions {
  readonly maxParallelism: number;
  /** First and last key group of this subtask, both inclusive. */
  readonly keyGroupRange: readonly [number, number];
  /** Processing time for expiry, and the monotonic clock of time-sliced snapshots. */
  readonly clock: Clock;
  /** Of {@link HeapKeyedStateBackend.incrementalSnapshot}; the defaults fit. */
  readonly incremental?: RowHistoryLimits;
}

/** The event-time and processing-time timers of one named timer service. */
export interface TimerQueues {
  readonly eventTime: TimerQueue;
  readonly processingTime: TimerQueue;
}

/**
 * Keyed state on the heap: one key index for all states, timers and rows of an operator; states are columns over its rows.
 *
 * One per keyed operator and subtask, used by that subtask's thread only. Growth and snapshots are incremental, so that no call takes more
 * than a few milliseconds whatever the number of keys (one key's own list or map excepted).
 */
export class HeapKeyedStateBackend<K = unknown> implements KeyedStateBackend<K> {
  readonly maxParallelism: number;
  readonly keyGroupRange: readonly [number, number];
  readonly clock: Clock;
  /** For this package and the disk backends only, as are all members below. */
  readonly cursor: KeyCursor<K>;
  readonly states: StateRegistry;
  readonly sliceTables: Map<string, HeapSliceTable<K, unknown>> = new Map();
  readonly timerQueues: Map<string, TimerQueues> = new Map();
  readonly history: RowHistory;

  private readonly fetcher: RowFetcher;

  constructor(options: HeapKeyedStateBackendOptions) {
    this.maxParallelism = options.maxParallelism;
    this.keyGroupRange = options.keyGroupRange;
    this.clock = options.clock;
    this.cursor = new KeyCursor<K>(options.maxParallelism, options.keyGroupRange);
    this.history = new RowHistory(this.cursor as KeyCursor, options.incremental);
    this.states = new StateRegistry(this.cursor as KeyCursor, options.clock);
    this.fetcher = new RowFetcher(this.cursor.table as KeyTable, this.states, this.timerQueues);
  }

  /**
   * A backend with the state of `parts` (any number of handles of one operator, written by any old subtasks), as far as it belongs to
   * `options.keyGroupRange`.
   *
   * @throws `STATE_SNAPSHOT_CORRUPT`, `STATE_SNAPSHOT_VERSION`; type and kind are checked when a state is opened.
   */
  static restore<K = unknown>(options: HeapKeyedStateBackendOptions, parts: readonly RestorePart[]): HeapKeyedStateBackend<K> {
    const backend = new HeapKeyedStateBackend<K>(options);
    for (const part of parts) restoreInto(backend as HeapKeyedStateBackend, part);
    return backend;
  }

  setCurrentKey(key: K, hash?: number): void {
    this.cursor.set(key, hash);
  }

  /**
   * Announces that keys with the hashes from `from` to `to` come next: brings their rows and values into the processor's cache, which for
   * millions of keys makes the accesses several times faster. Worth it for tens to thousands of keys at a time; changes nothing else.
   */
  prefetch(hashes: ArrayLike<number>, from: number, to: number): void {
    this.fetcher.fetch(hashes, from, to);
  }

  get currentKey(): K {
    if (!this.cursor.hasKey) throw noCurrentKey();
    return this.cursor.key as K;
  }

  get currentKeyHash(): number {
    if (!this.cursor.hasKey) throw noCurrentKey();
    return this.cursor.hash;
  }

  get currentKeyGroup(): number {
    return this.cursor.keyGroup();
  }

  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T> {
    return this.states.open(descriptor) as ValueState<T>;
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return this.states.open(descriptor) as ListState<T>;
  }

  getMapState<MK, MV>(descriptor: MapStateDescriptor<MK, MV>): MapState<MK, MV> {
    return this.states.open(descriptor) as MapState<MK, MV>;
  }

  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    return this.states.open(descriptor) as ReducingState<T>;
  }

  getAggregatingState<IN, ACC, OUT>(descriptor: AggregatingStateDescriptor<IN, ACC, OUT>): AggregatingState<IN, OUT> {
    return this.states.open(descriptor) as AggregatingState<IN, OUT>;
  }

  namespacedState<S extends KeyedState>(descriptor: StateDescriptor<S>): NamespacedState<S> {
    return this.states.openNamespaced(descriptor);
  }

  keys(descriptor: StateDescriptor): Iterable<K> {
    return this.states.keys(descriptor) as Iterable<K>;
  }

  sliceTable<V>(name: string): SliceTable<K, V> {
    let table = this.sliceTables.get(name);
    if (table === undefined) {
      table = new HeapSliceTable<K, unknown>(name, this.cursor as KeyCursor);
      this.sliceTables.set(name, table);
    }
    return table as HeapSliceTable<K, V>;
  }

  /**
   * Opens the named timer service; what its timers emit goes to `output`. The runtime drives it (`advanceWatermark`, `advanceProcessingTime`).
   * Open each name once: services of one name share their timers, and whichever advances first fires them.
   */
  timerService(name: string, handler: TimerHandler, output: Output<unknown>): HeapTimerService {
    return new HeapTimerService(this.cursor as KeyCursor, this.timers(name), this.clock, handler, output);
  }

  /** The queues of a named timer service, made when missing. */
  timers(name: string): TimerQueues {
    let queues = this.timerQueues.get(name);
    if (queues === undefined) {
      const cursor = this.cursor as KeyCursor;
      queues = { eventTime: new TimerQueue(cursor), processingTime: new TimerQueue(cursor) };
      this.timerQueues.set(name, queues);
    }
    return queues;
  }

  /**
   * Starts a snapshot of everything as it is now. Call its `step` between records until it returns true; meanwhile the backend may be used
   * freely. Several may run at a time. About `bytesPerSlice` are written between two looks at the clock.
   */
  snapshot(checkpointId: number, bytesPerSlice?: number): KeyedSnapshot {
    this.history.beginAlone();
    return new KeyedSnapshot(this as HeapKeyedStateBackend, checkpointId, bytesPerSlice);
  }

  /**
   * As {@link snapshot}, but leaves out rows that were not used since a checkpoint that {@link checkpointComplete} told of: the handle refers to
   * that one's files for them. With few keys, and when most were used, it stands alone. Slices and timers are written whole.
   */
  incrementalSnapshot(checkpointId: number): KeyedSnapshot {
    const layout = JSON.stringify([...this.states.tables.values()].map(({ name, kind, namespaced, ttl, schema }) => [name, kind, namespaced, ttl, schema]));
    const plan = this.history.begin(checkpointId, this.cursor.table.rowCount, layout);
    return new KeyedSnapshot(this as HeapKeyedStateBackend, checkpointId, undefined, plan);
  }

  /** Later incremental snapshots may refer to this checkpoint: its files, and those it refers to, stay until a newer one is known to be complete. */
  checkpointComplete(checkpointId: number): void {
    this.history.complete(checkpointId);
  }

  /** No snapshot may refer to this checkpoint. */
  checkpointAborted(checkpointId: number): void {
    this.history.aborted(checkpointId);
  }

  /** Number of keys that hold any state or timer. */
  get keyCount(): number {
    return this.cursor.table.index.size;
  }
}
