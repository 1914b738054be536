import { OperatorStateBackend, HeapKeyedStateBackend, redistributeOperatorState, type HeapKeyedStateBackendOptions, type KeyGroupOffset, type OperatorStateSnapshot } from "@millrace/state";

/** The state of an operator's subtask, in the bytes of a checkpoint. */
export interface HarnessSnapshot {
  readonly checkpointId: number;
  readonly operator: OperatorStateSnapshot;
  /** `undefined` for an operator without keyed state. */
  readonly keyed: { readonly bytes: Uint8Array; readonly keyGroups: readonly KeyGroupOffset[] } | undefined;
}

/** Encodes both backends as they are now. */
export function takeSnapshot(checkpointId: number, keyed: HeapKeyedStateBackend | undefined, operator: OperatorStateBackend): HarnessSnapshot {
  return { checkpointId, operator: operator.snapshot(), keyed: keyed === undefined ? undefined : keyedBytes(keyed, checkpointId) };
}

function keyedBytes(backend: HeapKeyedStateBackend, checkpointId: number): HarnessSnapshot["keyed"] {
  const { chunks, keyGroups, stateBytes } = backend.snapshot(checkpointId).finish();
  const bytes = new Uint8Array(stateBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, keyGroups };
}

/** The keyed backend of a new subtask, from the snapshots of all old ones. */
export function restoreKeyed(options: HeapKeyedStateBackendOptions, snapshots: readonly HarnessSnapshot[]): HeapKeyedStateBackend {
  const parts = snapshots.flatMap((snapshot) => (snapshot.keyed === undefined ? [] : [snapshot.keyed]));
  return HeapKeyedStateBackend.restore(options, parts);
}

/** The operator state of a new subtask, from the snapshots of all old ones. */
export function restoreOperatorState(snapshots: readonly HarnessSnapshot[], subtaskIndex: number, parallelism: number): OperatorStateBackend {
  const handles = snapshots.map(({ operator }) => ({ states: operator.states, file: { path: "", offset: 0, length: operator.bytes.length } }));
  const mine = redistributeOperatorState(handles, parallelism)[subtaskIndex]!;
  return OperatorStateBackend.restore(
    snapshots.map(({ operator }, handle) => ({ ...operator, assignments: mine.filter((assignment) => assignment.handle === handle) })),
  );
}
