export * from "./handles.js";
export { HeapKeyedStateBackend, type HeapKeyedStateBackendOptions } from "./heap/keyed-backend.js";
export { HeapTimerService } from "./timers/heap-timer-service.js";
export { KeyedSnapshot, type KeyedSnapshotResult } from "./snapshot/keyed-snapshot.js";
export type { RestorePart } from "./snapshot/keyed-restore.js";
export {
  OperatorStateBackend,
  type OperatorRestorePart,
  type OperatorStateSnapshot,
} from "./operator/operator-state-backend.js";
export { assignKeyedState, redistributeOperatorState } from "./operator/redistribute.js";
