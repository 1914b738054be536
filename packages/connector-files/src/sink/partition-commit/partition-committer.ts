import type { FileSystem } from "@millrace/core";
import { joinPath } from "../../path/resolve-path.js";
import { valuesOf } from "./partition-commit-options.js";
import type { PartitionCommitSettings } from "./partition-commit-options.js";
import { END_OF_INPUT_MS, mergePartitions } from "./partition-progress.js";
import type { PartitionProgress } from "./partition-progress.js";

/**
 * Commits partitions once all subtasks are behind them.
 *
 * Subtasks share nothing but the file system: each writes how far its committed rows go to a file of its own, then reads those of all, and commits every
 * partition that the slowest is past. Whoever writes last sees all the others, so none is forgotten; that several may commit the same one does no harm.
 */
export class PartitionCommitter {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #progressDirectory: string;
  readonly #settings: PartitionCommitSettings;

  /** `id` is the job's and the operator's: the progress of one sink in its directory. */
  constructor(fs: FileSystem, directory: string, id: string, settings: PartitionCommitSettings) {
    this.#fs = fs;
    this.#directory = directory;
    this.#progressDirectory = joinPath(directory, `.partition-commit-${id}`);
    this.#settings = settings;
  }

  async advance(progress: PartitionProgress): Promise<void> {
    const { subtask, parallelism } = progress;
    const own = joinPath(this.#progressDirectory, `${subtask}-of-${parallelism}.json`);
    const before = await this.#read(own);
    const reachedMs = Math.max(progress.reachedMs, before?.reachedMs ?? progress.reachedMs);
    const written: PartitionProgress = { ...progress, reachedMs, partitions: [...mergePartitions(before?.partitions ?? [], progress.partitions)] };
    await this.#write(own, written);
    const all = await this.#readAll();
    // Those of another parallelism are from before a rescale: their partitions count, their progress does not.
    const current = all.filter(([, one]) => one.parallelism === parallelism).map(([, one]) => one);
    if (current.length < parallelism) return;
    const slowestMs = Math.min(...current.map((one) => one.reachedMs));
    const isDue = ([bucketId, createdMs]: readonly [string, number]): boolean => slowestMs === END_OF_INPUT_MS || this.#settings.dueMs(bucketId, createdMs) <= slowestMs;
    for (const entry of mergePartitions(...all.map(([, one]) => one.partitions))) if (isDue(entry)) await this.#commit(entry[0]);
    if (slowestMs === END_OF_INPUT_MS) return this.#fs.delete(this.#progressDirectory);
    await this.#write(own, { ...written, partitions: written.partitions.filter((entry) => !isDue(entry)) });
    for (const [path, one] of all) if (one.parallelism !== parallelism && one.partitions.every(isDue)) await this.#fs.delete(path);
  }

  async #commit(bucketId: string): Promise<void> {
    const { policies, successFileName } = this.#settings;
    const path = joinPath(this.#directory, bucketId);
    for (const policy of policies) {
      if (policy === "success-file") await this.#fs.writeAtomic(joinPath(path, successFileName), new Uint8Array(0));
      else await policy({ bucketId, path, values: valuesOf(bucketId) }, this.#fs);
    }
  }

  async #write(path: string, progress: PartitionProgress): Promise<void> {
    await this.#fs.mkdirs(this.#progressDirectory);
    await this.#fs.writeAtomic(path, Buffer.from(JSON.stringify(progress)));
  }

  async #readAll(): Promise<(readonly [string, PartitionProgress])[]> {
    const found: (readonly [string, PartitionProgress])[] = [];
    for (const { path } of await this.#fs.list(this.#progressDirectory)) {
      const progress = path.endsWith(".json") ? await this.#read(path) : undefined;
      if (progress !== undefined) found.push([path, progress]);
    }
    return found;
  }

  async #read(path: string): Promise<PartitionProgress | undefined> {
    if ((await this.#fs.status(path)) === undefined) return undefined;
    try {
      return JSON.parse(Buffer.from(await this.#fs.readFile(path)).toString()) as PartitionProgress;
    } catch (error) {
      // Another subtask, at the end of the input, may just have deleted them all.
      if ((await this.#fs.status(path)) === undefined) return undefined;
      throw error;
    }
  }
}
