/** How far one subtask's committed rows go, and the partitions it has written that nobody has seen complete: what subtasks tell each other by files. */
export interface PartitionProgress {
  readonly subtask: number;
  readonly parallelism: number;
  /** By the clock of the trigger; the largest safe integer at the end of the input. */
  readonly reachedMs: number;
  /** Buckets, and when their first row was written. */
  readonly partitions: readonly (readonly [bucketId: string, createdMs: number])[];
}

export const END_OF_INPUT_MS: number = Number.MAX_SAFE_INTEGER;

/** The earliest time of each bucket of several lists. */
export function mergePartitions(...lists: readonly PartitionProgress["partitions"][]): Map<string, number> {
  const merged = new Map<string, number>();
  for (const [bucketId, createdMs] of lists.flat()) merged.set(bucketId, Math.min(createdMs, merged.get(bucketId) ?? createdMs));
  return merged;
}
