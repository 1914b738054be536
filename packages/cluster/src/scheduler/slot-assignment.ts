import type { JobGraph } from "@millrace/graph";

/** Which slot each subtask runs in. */
export interface SlotAssignment {
  readonly numberOfSlots: number;
  /** Slot index by subtask, by vertex id. */
  readonly slotOfSubtask: Readonly<Record<string, readonly number[]>>;
}

/**
 * Gives every slot sharing group as many slots as its widest vertex has subtasks; subtask `i` of each vertex shares the group's slot `i`.
 * With `oneSlot` everything runs in slot 0 (in-thread mode). Flink: SlotSharingExecutionSlotAllocator.
 */
export function assignSlots(jobGraph: JobGraph, oneSlot: boolean): SlotAssignment {
  const slotOfSubtask: Record<string, readonly number[]> = {};
  if (oneSlot) {
    for (const vertex of jobGraph.vertices) slotOfSubtask[vertex.id] = Array.from({ length: vertex.parallelism }, () => 0);
    return { numberOfSlots: 1, slotOfSubtask };
  }
  const width = new Map<string, number>();
  for (const vertex of jobGraph.vertices) width.set(vertex.slotSharingGroup, Math.max(width.get(vertex.slotSharingGroup) ?? 0, vertex.parallelism));
  const firstSlot = new Map<string, number>();
  let numberOfSlots = 0;
  for (const [group, slots] of width) {
    firstSlot.set(group, numberOfSlots);
    numberOfSlots += slots;
  }
  for (const vertex of jobGraph.vertices) {
    const first = firstSlot.get(vertex.slotSharingGroup)!;
    slotOfSubtask[vertex.id] = Array.from({ length: vertex.parallelism }, (_, subtask) => first + subtask);
  }
  return { numberOfSlots, slotOfSubtask };
}
