import type { FileSystem, StagedFiles } from "@millrace/core";
import type { ClosedPart, FileSinkCommittable, WaitingPart } from "../file-sink-state.js";
import type { CompactionSettings } from "./compaction-options.js";
import type { FileCompactor } from "./file-compactor.js";

/** Where a merged file goes. */
export interface CompactionTarget {
  readonly inProgressPath: string;
  readonly finalPath: string;
}

/** How a sink merges. */
export interface Compaction {
  readonly settings: CompactionSettings;
  readonly compactor: FileCompactor;
}

/**
 * Holds the closed parts of one writer back until they are merged. What waits is part of the writer's state; a merged file becomes visible with the checkpoint
 * it is handed to, and what it was made of is deleted by its commit. So a failure in between finds either the parts or the merged file, never both visible.
 */
export class PartCompaction {
  readonly #fs: FileSystem;
  readonly #stagedFiles: StagedFiles | undefined;
  readonly #settings: CompactionSettings;
  readonly #compactor: FileCompactor;
  readonly #target: (bucketId: string) => CompactionTarget;
  readonly #waiting = new Map<string, WaitingPart[]>();

  /** `target` names a new part of a bucket. `stagedFiles` on a store of whole objects: parts wait there as hidden objects, and a merged one is staged. */
  constructor(fs: FileSystem, stagedFiles: StagedFiles | undefined, { settings, compactor }: Compaction, target: (bucketId: string) => CompactionTarget) {
    this.#fs = fs;
    this.#stagedFiles = stagedFiles;
    this.#settings = settings;
    this.#compactor = compactor;
    this.#target = target;
  }

  /** What waits, for the writer's state. */
  get waiting(): readonly WaitingPart[] {
    return [...this.#waiting.values()].flat();
  }

  add(part: WaitingPart): void {
    const parts = this.#waiting.get(part.bucketId);
    if (parts === undefined) this.#waiting.set(part.bucketId, [part]);
    else parts.push(part);
  }

  /** The parts that a checkpoint closed come in, and what it shall commit goes out. */
  async take(closed: readonly ClosedPart[], isEnd: boolean): Promise<readonly FileSinkCommittable[]> {
    for (const part of closed) this.add({ ...part, checkpoints: 0 });
    const ready: FileSinkCommittable[] = [];
    for (const [bucketId, parts] of this.#waiting) {
      const aged = parts.map((part) => ({ ...part, checkpoints: part.checkpoints + 1 }));
      const isDue = isEnd || aged[0]!.checkpoints >= this.#settings.everyCheckpoints || aged.reduce((sum, part) => sum + part.sizeBytes, 0) >= this.#settings.sizeThresholdBytes;
      if (!isDue) {
        this.#waiting.set(bucketId, aged);
        continue;
      }
      ready.push(aged.length === 1 && this.#stagedFiles === undefined ? plain(aged[0]!) : await this.#merge(bucketId, aged));
      this.#waiting.delete(bucketId);
    }
    return ready;
  }

  async #merge(bucketId: string, parts: readonly WaitingPart[]): Promise<FileSinkCommittable> {
    const { inProgressPath, finalPath } = this.#target(bucketId);
    const inputs = parts.map((part) => part.inProgressPath);
    if (this.#stagedFiles !== undefined) return { inProgressPath, finalPath, ...(await this.#stage(this.#stagedFiles, inputs, finalPath)), obsoletePaths: inputs };
    const writer = await this.#fs.create(inProgressPath);
    try {
      await this.#compactor.compact(this.#fs, inputs, writer);
    } finally {
      await writer.close();
    }
    return { inProgressPath, finalPath, sizeBytes: writer.positionBytes, obsoletePaths: inputs };
  }

  async #stage(stagedFiles: StagedFiles, inputs: readonly string[], finalPath: string): Promise<Pick<FileSinkCommittable, "sizeBytes" | "staged">> {
    const writer = await stagedFiles.create(finalPath);
    try {
      await this.#compactor.compact(this.#fs, inputs, writer);
      const { sizeBytes, token } = await writer.stage();
      return { sizeBytes, staged: token };
    } finally {
      await writer.close();
    }
  }
}

function plain({ inProgressPath, finalPath, sizeBytes }: WaitingPart): FileSinkCommittable {
  return { inProgressPath, finalPath, sizeBytes };
}
