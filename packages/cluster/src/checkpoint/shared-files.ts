import type { KeyedStateHandle } from "@millrace/state";
import type { CheckpointMetadata } from "./checkpoint-metadata.js";

/** The checkpoints that a checkpoint's handles refer to besides itself: it is incremental. */
export interface SharedFiles {
  /** Directories whose files it needs, its own among them. */
  readonly directories: ReadonlySet<string>;
  /**
   * The oldest checkpoint that one of its tasks built on; infinite when none did. Later ones build on it or a newer one: a task may not have
   * heard yet that this checkpoint is complete.
   */
  readonly oldestBase: number;
}

export function sharedFiles(path: string, metadata: CheckpointMetadata): SharedFiles {
  const directories = new Set([path]);
  let oldestBase = Number.POSITIVE_INFINITY;
  for (const { subtasks } of metadata.operators) {
    for (const handle of subtasks.flatMap(({ keyed }) => keyed as readonly KeyedStateHandle[])) {
      for (const { file } of handle.earlier ?? []) directories.add(parentOf(resolveFile(path, file.path)));
      const base = handle.earlier?.at(-1);
      if (base !== undefined) oldestBase = Math.min(oldestBase, base.checkpointId);
    }
  }
  return { directories, oldestBase };
}

/** The absolute path of a file that a handle in `checkpointPath` names: relative to the checkpoint, so that checkpoints can be moved together. */
export function resolveFile(checkpointPath: string, path: string): string {
  if (path.startsWith("/") || /^[a-z][a-z0-9+.-]*:/i.test(path)) return path;
  return path.startsWith("../") ? resolveFile(parentOf(checkpointPath), path.slice(3)) : `${checkpointPath}/${path}`;
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
