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
export function assignSlots(jobGraph: Pick<JobGraph, "vertices">, oneSlot: boolean): SlotAssignment {
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

/** The slots of one region. Regions of a slot sharing group share the job's slots, each with an isolate of its own in them. */
export interface RegionSlots extends SlotAssignment {
  /** The job's number of each slot of the region. */
  readonly jobSlots: readonly number[];
}

/** Numbers the slots that a region uses from 0 on. */
export function regionSlots(job: SlotAssignment, vertices: JobGraph["vertices"], oneSlot: boolean): RegionSlots {
  const own = assignSlots({ vertices }, oneSlot);
  const jobSlots = Array.from({ length: own.numberOfSlots }, () => 0);
  for (const { id } of vertices) own.slotOfSubtask[id]!.forEach((slot, subtask) => (jobSlots[slot] = job.slotOfSubtask[id]![subtask]!));
  return { ...own, jobSlots };
}
