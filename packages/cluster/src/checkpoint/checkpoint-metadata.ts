import { MillraceError, isMillraceError } from "@millrace/core";
import type { FileSystem } from "@millrace/core";

/** The version of the `_metadata` file this release writes and reads. 0: it may change without notice. */
export const METADATA_FORMAT_VERSION = 0;
export const METADATA_FILE = "_metadata";

/** What a complete checkpoint consists of: the content of `chk-<id>/_metadata`, as plain JSON. */
export interface CheckpointMetadata {
  readonly formatVersion: number;
  readonly checkpointId: number;
  readonly timestampMs: number;
  readonly jobId: string;
  readonly jobName: string;
  /** Of all state that it refers to. */
  readonly stateBytes: number;
  /** Written for this checkpoint: less than `stateBytes` when it is incremental. */
  readonly writtenBytes: number;
  readonly operators: readonly OperatorCheckpoint[];
}

/** The state of one operator over all its subtasks. The handles are `@millrace/state`'s. */
export interface OperatorCheckpoint {
  readonly operatorId: string;
  readonly uid: string | undefined;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** State of the source coordinator, base64. */
  readonly coordinator?: string;
  /** All subtasks had finished: nothing is left to run. */
  readonly finished?: boolean;
  /** Only subtasks that reported state. */
  readonly subtasks: readonly SubtaskState[];
}

export interface SubtaskState {
  readonly subtaskIndex: number;
  readonly keyed: readonly unknown[];
  readonly operator: readonly unknown[];
  /** Of an unaligned checkpoint: the runtime's `InFlightHandle`s. */
  readonly inFlight?: readonly unknown[];
}

export function checkpointPath(directory: string, checkpointId: number): string {
  return `${directory}/chk-${checkpointId}`;
}

/** Writes `_metadata` so that it is there whole or not at all: its presence is what makes a checkpoint complete. */
export async function writeMetadata(fs: FileSystem, path: string, metadata: CheckpointMetadata): Promise<void> {
  await fs.writeAtomic(`${path}/${METADATA_FILE}`, new TextEncoder().encode(JSON.stringify(metadata)));
}

/**
 * Reads a checkpoint's `_metadata`; `path` is the checkpoint's directory or the file itself.
 * @throws `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_UNREADABLE` (not JSON, or another version).
 */
export async function readMetadata(fs: FileSystem, path: string): Promise<CheckpointMetadata> {
  const directory = path.endsWith(`/${METADATA_FILE}`) ? path.slice(0, -METADATA_FILE.length - 1) : path.replace(/\/+$/, "");
  const file = `${directory}/${METADATA_FILE}`;
  const bytes = await readOrExplain(fs, directory, file);
  let metadata: CheckpointMetadata;
  try {
    metadata = JSON.parse(new TextDecoder().decode(bytes)) as CheckpointMetadata;
  } catch (cause) {
    throw new MillraceError({ code: "CHECKPOINT_UNREADABLE", message: `"${file}" is not a checkpoint: it is not valid JSON`, location: { file }, cause });
  }
  if (metadata.formatVersion !== METADATA_FORMAT_VERSION || !Array.isArray(metadata.operators)) {
    throw new MillraceError({
      code: "CHECKPOINT_UNREADABLE",
      message: `"${file}" has checkpoint format ${String(metadata.formatVersion)}, this version reads format ${METADATA_FORMAT_VERSION}`,
      location: { file },
    });
  }
  return metadata;
}

async function readOrExplain(fs: FileSystem, directory: string, file: string): Promise<Uint8Array> {
  try {
    return await fs.readFile(file);
  } catch (cause) {
    if (!isMillraceError(cause) || cause.code !== "FILE_NOT_FOUND") throw cause;
    const children = await fs.list(directory).catch(() => []);
    const found = children.map((child) => child.path.slice(child.path.lastIndexOf("/") + 1)).filter((name) => /^chk-\d+$/.test(name));
    throw new MillraceError({
      code: "CHECKPOINT_NOT_FOUND",
      message: `there is no checkpoint at "${directory}": it has no ${METADATA_FILE} file`,
      hint: found.length > 0
        ? `it holds ${found.join(", ")}; name one of them`
        : "give the directory of one complete checkpoint, such as <dir>/<job id>/chk-12",
      location: { file, option: "execution.state-recovery.path" },
      cause,
    });
  }
}
