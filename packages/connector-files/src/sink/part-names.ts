import { MillraceError } from "@millrace/core";
import type { FileSystem, SinkWriterContext, StagedFiles } from "@millrace/core";
import { baseName, joinPath } from "../path/resolve-path.js";
import type { FileSinkWriterState } from "./file-sink-state.js";

/**
 * Names of part files: `<prefix>-<uid>-<subtask>-<n><suffix>`, while in progress `.<prefix>-<uid>-<subtask>-<n>.inprogress` in the sink's directory.
 *
 * The uid is the hash of (job, operator, restored checkpoint) and the number of the attempt. So no two attempts ever write the same file, and an attempt
 * can tell the leftovers of those that failed before it from the files of anybody else.
 */
export class PartNames {
  readonly uid: string;
  readonly #lineage: string;
  readonly #attempt: number;
  readonly #subtask: number;
  #next: number = 0;

  constructor(context: SinkWriterContext) {
    this.#lineage = hash([context.jobId, context.operatorId, String(context.restoredCheckpointId ?? "none")].join("\0"));
    this.#attempt = context.attemptNumber;
    this.#subtask = context.subtaskIndex;
    this.uid = `${this.#lineage}r${this.#attempt}`;
  }

  /** The number the next part gets. */
  get nextPart(): number {
    return this.#next;
  }

  make(prefix: string): string {
    return `${prefix}-${this.uid}-${this.#subtask}-${this.#next++}`;
  }

  /**
   * Deletes what failed attempts of this job left behind: files begun after the restored checkpoint by the writers whose states came here, and all files of
   * attempts that started from the same checkpoint as this one. Nobody else's state can name them. Other subtasks may delete the same; that is fine.
   */
  async deleteLeftovers(fs: FileSystem, stagedFiles: StagedFiles | undefined, directory: string, states: readonly FileSinkWriterState[]): Promise<number> {
    let deleted = 0;
    for (const { path, isDirectory } of await fs.list(stagedFiles === undefined ? directory : heldDirectory(directory))) {
      if (isDirectory || !this.#isLeftover(/^\..*-([0-9a-f]{14})r(\d+)-(\d+)-(\d+)\.inprogress$/.exec(baseName(path)), states)) continue;
      await fs.delete(path);
      deleted++;
    }
    for (const file of (await stagedFiles?.list(directory)) ?? []) {
      if (!this.#isLeftover(/-([0-9a-f]{14})r(\d+)-(\d+)-(\d+)(?:\D[^/]*)?$/.exec(baseName(file.path)), states)) continue;
      await stagedFiles!.discard(file);
      deleted++;
    }
    return deleted;
  }

  #isLeftover(parsed: RegExpExecArray | null, states: readonly FileSinkWriterState[]): boolean {
    if (parsed === null) return false;
    const [, lineage, attempt, subtask, number] = parsed;
    const isEarlierAttempt = lineage === this.#lineage && Number(attempt) < this.#attempt;
    const isAfterCheckpoint = states.some((s) => s.uid === `${lineage}r${attempt}` && s.subtask === Number(subtask) && Number(number) >= s.nextPart);
    return isEarlierAttempt || isAfterCheckpoint;
  }
}

export function inProgressPath(directory: string, name: string): string {
  return joinPath(directory, `.${name}.inprogress`);
}

/** Where parts are that wait to be merged, on a store of whole objects: a list of the sink's directory may be long there. */
export function heldDirectory(directory: string): string {
  return joinPath(directory, ".compaction");
}

/** @throws `OPTION_INVALID` for a prefix or suffix that would leave the bucket or hide the file. */
export function checkPartName(option: string, text: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (!/[/\\\u0000-\u001f]/.test(text) && (option !== "partPrefix" || /^[^._]/.test(text))) return;
  throw new MillraceError({
    code: "OPTION_INVALID", message: `${JSON.stringify(text)} cannot be a ${option}`,
    hint: "it must not hold slashes, nor begin with . or _ (readers take that for a hidden file)", location: { option },
  });
}

/** Names one sink of one job. */
export function sinkId({ jobId, operatorId }: SinkWriterContext): string {
  return hash(`${jobId}\0${operatorId}`);
}

/** 56 bits in hex, of two rounds of FNV-1a with a final mix (murmur3's): file names need few collisions, not secrecy. */
function hash(text: string): string {
  const round = (seed: number): number => {
    let h = seed;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  };
  return (round(0x811c9dc5).toString(16).padStart(8, "0") + round(0x9747b28c).toString(16).padStart(8, "0")).slice(0, 14);
}
