import { keyGroupRange } from "@millrace/core";
import type { KeyedStateHandle, OperatorStateAssignment, OperatorStateHandle, OperatorStateMeta, OperatorStateMode } from "../handles.js";

/**
 * Which handles, cut to which key groups, each subtask of the new parallelism restores. Handles without a group for a subtask are left out.
 *
 * Pure: it works on metadata only.
 */
export function assignKeyedState(handles: readonly KeyedStateHandle[], maxParallelism: number, newParallelism: number): KeyedStateHandle[][] {
  return Array.from({ length: newParallelism }, (_, subtask) => {
    const [first, last] = keyGroupRange(maxParallelism, newParallelism, subtask);
    return handles
      .map((handle) => intersect(handle, first, last))
      .filter((handle) => [handle, ...(handle.earlier ?? [])].some(({ keyGroups, common }) => keyGroups.length > 0 || common === true));
  });
}

function intersect(handle: KeyedStateHandle, first: number, last: number): KeyedStateHandle {
  const [from, to] = handle.keyGroupRange;
  const within = <P extends Pick<KeyedStateHandle, "keyGroups">>(part: P): P => ({ ...part, keyGroups: part.keyGroups.filter(({ keyGroup }) => keyGroup >= first && keyGroup <= last) });
  // All parts: what a newer one tells of a row counts for everybody, whatever key group the row was in.
  const earlier = handle.earlier?.map(within);
  return { ...within(handle), keyGroupRange: [Math.max(from, first), Math.min(to, last)], ...(earlier === undefined ? {} : { earlier }) };
}

/**
 * Which elements of which old subtask each subtask of the new parallelism reads.
 *
 * `handles[i]` is what old subtask `i` wrote, `undefined` when it has no operator state. Split lists stay where they are when the parallelism
 * does not change; else their elements, in order of old subtasks, are cut into even runs, what is left over going on from subtask to subtask
 * over all states, so that many short lists do not all end up on the first. Union lists go to everybody, whole; of a broadcast state each
 * subtask reads one old subtask's copy. Pure: it works on metadata only. Source: Flink's RoundRobinOperatorStateRepartitioner.
 */
export function redistributeOperatorState(
  handles: readonly (OperatorStateHandle | undefined)[],
  newParallelism: number,
): OperatorStateAssignment[][] {
  const result: OperatorStateAssignment[][] = Array.from({ length: newParallelism }, () => []);
  const names = new Map<string, OperatorStateMode>();
  for (const handle of handles) for (const state of handle?.states ?? []) names.set(state.name, state.mode);
  let firstSubtask = 0;
  for (const [name, mode] of names) {
    const holders = holdersOf(handles, name);
    if (mode === "SPLIT_DISTRIBUTE" && handles.length !== newParallelism) {
      firstSubtask = splitEvenly(holders, result, firstSubtask);
      continue;
    }
    result.forEach((assignments, subtask) => {
      for (const { handle, state } of holders) {
        const mine =
          mode === "UNION" ||
          (mode === "BROADCAST" ? holders[subtask % holders.length]!.handle === handle : handle === subtask);
        if (mine) assignments.push({ handle, name, mode, from: 0, to: state.offsets.length });
      }
    });
  }
  return result;
}

interface Holder {
  readonly handle: number;
  readonly state: OperatorStateMeta;
}

function holdersOf(handles: readonly (OperatorStateHandle | undefined)[], name: string): Holder[] {
  return handles.flatMap((handle, index) =>
    (handle?.states ?? []).filter((state) => state.name === name).map((state) => ({ handle: index, state })),
  );
}

/** Deals the elements out in even runs, the longer ones to the subtasks from `firstSubtask` on. Returns the subtask after the last longer run. */
function splitEvenly(holders: readonly Holder[], result: OperatorStateAssignment[][], firstSubtask: number): number {
  const parallelism = result.length;
  const total = holders.reduce((sum, { state }) => sum + state.offsets.length, 0);
  const remainder = total % parallelism;
  let holder = 0;
  let element = 0;
  for (let i = 0; i < parallelism; i++) {
    const subtask = (firstSubtask + i) % parallelism;
    let wanted = Math.floor(total / parallelism) + (i < remainder ? 1 : 0);
    while (wanted > 0) {
      const { handle, state } = holders[holder]!;
      const taken = Math.min(wanted, state.offsets.length - element);
      if (taken > 0) result[subtask]!.push({ handle, name: state.name, mode: state.mode, from: element, to: element + taken });
      wanted -= taken;
      element += taken;
      if (element === state.offsets.length) {
        holder++;
        element = 0;
      }
    }
  }
  return (firstSubtask + remainder) % parallelism;
}
