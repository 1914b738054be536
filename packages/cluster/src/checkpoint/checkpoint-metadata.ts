import { MillraceError, isMillraceError } from "@millrace/core";
import type { FileSystem } from "@millrace/core";

/** The version of a checkpoint's `_metadata` that this release writes and reads. 0: it may change without notice. */
export const METADATA_FORMAT_VERSION = 0;
/** The version of savepoints that this release writes. It reads this one and, from 1 on, all before it: savepoints restore for ever. */
export const SAVEPOINT_FORMAT_VERSION = 1;
export const METADATA_FILE = "_metadata";

/** What a complete checkpoint consists of: the content of its `_metadata`, as plain JSON. */
export interface CheckpointMetadata {
  readonly formatVersion: number;
  /** A savepoint: self-contained, and unless `savepointFormat` says otherwise in a format that does not depend on the state backend. */
  readonly type?: "savepoint";
  /** Of a savepoint that is in the format of checkpoints. */
  readonly savepointFormat?: "NATIVE";
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

export function isSavepoint(metadata: CheckpointMetadata): boolean {
  return metadata.type === "savepoint";
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
  checkFormat(metadata, file);
  return metadata;
}

function checkFormat(metadata: CheckpointMetadata, file: string): void {
  const version: unknown = (metadata as CheckpointMetadata | null)?.formatVersion;
  const savepoint = metadata?.type === "savepoint" && metadata.savepointFormat !== "NATIVE";
  const readable = Number.isInteger(version) && (savepoint ? (version as number) >= 1 && (version as number) <= SAVEPOINT_FORMAT_VERSION : version === METADATA_FORMAT_VERSION);
  if (readable && Array.isArray(metadata.operators)) return;
  const [what, reads] = savepoint ? ["savepoint", `formats 1 to ${SAVEPOINT_FORMAT_VERSION}`] : ["checkpoint", `format ${METADATA_FORMAT_VERSION}`];
  throw new MillraceError({
    code: "CHECKPOINT_UNREADABLE", message: `"${file}" has ${what} format ${String(version)}, this version reads ${reads}`, location: { file },
    hint: "the release that wrote it reads it; a savepoint taken there is read by all later ones",
  });
}

async function readOrExplain(fs: FileSystem, directory: string, file: string): Promise<Uint8Array> {
  try {
    return await fs.readFile(file);
  } catch (cause) {
    if (!isMillraceError(cause) || cause.code !== "FILE_NOT_FOUND") throw cause;
    const children = await fs.list(directory).catch(() => []);
    const found = children.map((child) => child.path.slice(child.path.lastIndexOf("/") + 1)).filter((name) => /^(chk-\d+|savepoint-[0-9a-f]+-[0-9a-f]+)$/.test(name));
    throw new MillraceError({
      code: "CHECKPOINT_NOT_FOUND",
      message: `there is no savepoint or checkpoint at "${directory}": it has no ${METADATA_FILE} file`,
      hint: found.length > 0
        ? `it holds ${found.join(", ")}; name one of them`
        : "give the directory of one savepoint, such as <dir>/savepoint-1a2b3c-0123456789ab, or of one complete checkpoint, such as <dir>/<job id>/chk-12",
      location: { file, option: "execution.state-recovery.path" },
      cause,
    });
  }
}
