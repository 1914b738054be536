import { isMillraceError, type FileSystem } from "@millrace/core";
import { readMetadata } from "../checkpoint/checkpoint-metadata.js";
import { deleteClaimed } from "../checkpoint/savepoint-files.js";
import type { CheckpointPointer, CheckpointPointers } from "./checkpoint-pointers.js";

/** Codes of a checkpoint that is gone or damaged, rather than out of reach. */
export const LOST_CHECKPOINT: readonly string[] = ["CHECKPOINT_NOT_FOUND", "CHECKPOINT_UNREADABLE"];

/**
 * Deletes claimed checkpoints that this leader or an earlier one has forgotten and not deleted to the end.
 * @param discards of {@link CheckpointPointers.discards} @throws what the storage or the store throws
 */
export async function finishDiscards(fs: FileSystem, pointers: CheckpointPointers, discards: readonly CheckpointPointer[]): Promise<void> {
  for (const { checkpointId, path } of discards) {
    const metadata = await readMetadata(fs, path).catch((error: unknown) => {
      if (!isMillraceError(error) || !LOST_CHECKPOINT.includes(error.code)) throw error;
      return undefined;
    });
    // Without metadata there is at most a rest of its own directory: what it shared goes first.
    if (metadata === undefined) await fs.delete(path);
    else await deleteClaimed(fs, path, metadata);
    await pointers.discarded(checkpointId);
  }
}
