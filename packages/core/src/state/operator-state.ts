import type { BroadcastState, OperatorListState } from "./state.js";
import type { ListStateDescriptor, MapStateDescriptor } from "./descriptors.js";
import type { KeyedStateStore } from "./keyed-state-store.js";

/** State of a subtask. Redistribution when the parallelism changes: even split, everything to everybody (union), or one copy each (broadcast). */
export interface OperatorStateStore {
  getListState<T>(descriptor: ListStateDescriptor<T>): OperatorListState<T>;
  getUnionListState<T>(descriptor: ListStateDescriptor<T>): OperatorListState<T>;
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V>;
}

/** What `initializeState` can ask, and where it opens its states. */
export interface StateInitializationContext {
  readonly isRestored: boolean;
  /** The checkpoint this attempt was restored from. */
  readonly restoredCheckpointId: number | undefined;
  readonly operatorState: OperatorStateStore;
  /** @throws `STATE_NOT_KEYED` outside a keyed stream. */
  readonly keyedState: KeyedStateStore;
}
/** Which checkpoint `snapshotState` is called for. */
export interface StateSnapshotContext {
  readonly checkpointId: number;
  readonly checkpointTimestampMs: number;
}

/** Implemented by user functions that keep state of their own in a checkpoint. Called on the task's thread, between records. */
export interface CheckpointedFunction {
  initializeState(context: StateInitializationContext): void | Promise<void>;
  /** The last moment to write into the states opened in `initializeState`. */
  snapshotState(context: StateSnapshotContext): void | Promise<void>;
}

/** Told when a checkpoint is complete everywhere (it may be told late, or never: a later id includes it) or given up. */
export interface CheckpointListener {
  notifyCheckpointComplete(checkpointId: number): void | Promise<void>;
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>;
}
