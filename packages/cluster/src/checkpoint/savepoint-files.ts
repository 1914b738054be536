import { MillraceError } from "@millrace/core";
import type { Env, FileSystem } from "@millrace/core";
import type { KeyedStateHandle, OperatorStateHandle } from "@millrace/state";
import { METADATA_FILE, isSavepoint, readMetadata, type CheckpointMetadata } from "./checkpoint-metadata.js";
import { parentOf, resolveFile } from "./shared-files.js";

/** A name for a new savepoint, as Flink makes them: `savepoint-` with the beginning of the job's id and 12 random hexadecimal digits. */
export function savepointName(jobId: string, rng: Env["rng"]): string {
  const digits = Array.from({ length: 12 }, () => Math.floor(rng.next() * 16).toString(16)).join("");
  return `savepoint-${jobId.slice(0, 6)}-${digits}`;
}

/**
 * Deletes a savepoint: the files it names, then its directory unless something else is in it.
 * @throws `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_UNREADABLE`, `SAVEPOINT_DISPOSAL_REFUSED` for a checkpoint
 */
export async function disposeSavepoint(fs: FileSystem, path: string): Promise<void> {
  const directory = withoutMetadata(fs.resolve(path));
  const metadata = await readMetadata(fs, directory);
  if (!isSavepoint(metadata)) {
    throw new MillraceError({
      code: "SAVEPOINT_DISPOSAL_REFUSED", message: `"${directory}" is not a savepoint but checkpoint ${metadata.checkpointId} of job ${metadata.jobId}`,
      hint: "checkpoints belong to their job, and others may need their files; one that was retained and is needed by none can be deleted as a directory", location: { file: directory },
    });
  }
  // First what makes it a savepoint, so that nobody restores from half of one.
  await fs.delete(`${directory}/${METADATA_FILE}`);
  for (const file of filesOf(directory, metadata)) if (file.startsWith(`${directory}/`)) await fs.delete(file);
  if ((await fs.list(directory)).length === 0) await fs.delete(directory);
}

/** The directory of a checkpoint that is named by it or by its `_metadata`. */
export function withoutMetadata(path: string): string {
  return path.replace(/\/+(_metadata)?\/*$/, "");
}

/** Absolute paths of all files of state that a checkpoint refers to. */
export function filesOf(path: string, metadata: CheckpointMetadata): ReadonlySet<string> {
  const files = new Set<string>();
  for (const { keyed, operator } of metadata.operators.flatMap(({ subtasks }) => subtasks)) {
    for (const { file, earlier = [] } of keyed as readonly KeyedStateHandle[]) for (const part of [{ file }, ...earlier]) files.add(resolveFile(path, part.file.path));
    for (const { file } of operator as readonly OperatorStateHandle[]) files.add(resolveFile(path, file.path));
  }
  return files;
}

/**
 * Deletes a checkpoint or savepoint that the job has claimed: its directory, and those that only it shared files with. What another checkpoint beside
 * it refers to stays.
 */
export async function deleteClaimed(fs: FileSystem, path: string, metadata: CheckpointMetadata): Promise<void> {
  const shared = new Set([...filesOf(path, metadata)].map(parentOf));
  shared.delete(path);
  const siblings = shared.size === 0 ? [] : (await fs.list(parentOf(path)).catch(() => [])).map((sibling) => sibling.path);
  for (const sibling of siblings) {
    if (sibling === path) continue;
    const other = await readMetadata(fs, sibling).catch(() => undefined);
    if (other === undefined) continue;
    shared.delete(sibling);
    for (const file of filesOf(sibling, other)) shared.delete(parentOf(file));
  }
  // Its metadata goes last, since it says what else goes: so this can be done again when it was not done to the end.
  for (const directory of shared) await fs.delete(directory);
  await fs.delete(path);
}
