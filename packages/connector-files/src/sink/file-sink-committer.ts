import { MillraceError, isMillraceError } from "@millrace/core";
import type { Committer, CommitRequest, FileSystem, StagedFile } from "@millrace/core";
import { parentPath } from "../path/resolve-path.js";
import type { FileSinkCommittable } from "./file-sink-state.js";
import type { PartitionCommitter } from "./partition-commit/partition-committer.js";
import { partLost } from "./resume-part.js";

/**
 * Makes closed part files visible: one atomic rename, or one completed upload, each. Idempotent: a file that has its final name already is committed.
 *
 * Errors: `FILE_SINK_PART_LOST` when a part is gone or shorter than it was, `FILE_SINK_PART_CONFLICT` when its final name is taken. All other parts are
 * committed before such an error is thrown.
 */
export class FileSinkCommitter implements Committer<FileSinkCommittable> {
  readonly #fs: FileSystem;
  readonly #directories = new Set<string>();
  readonly #partitions: PartitionCommitter | undefined;

  constructor(fs: FileSystem, partitions?: PartitionCommitter) {
    this.#fs = fs;
    this.#partitions = partitions;
  }

  async commit(requests: readonly CommitRequest<FileSinkCommittable>[]): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const isFile = ({ committable }: CommitRequest<FileSinkCommittable>): boolean => committable.progress === undefined;
    // Files first: what is said of partitions is true only then.
    for (const request of [...requests.filter(isFile), ...requests.filter((one) => !isFile(one))]) {
      try {
        // A file that failed would be missing from its partition.
        if (!isFile(request)) {
          if (failure === undefined) await this.#partitions?.advance(request.committable.progress!);
        } else await this.#commitOne(request);
      } catch (error) {
        if (isMillraceError(error) && error.recovery === "retry") request.retryLater();
        else failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  close(): void {}

  async #commitOne(request: CommitRequest<FileSinkCommittable>): Promise<void> {
    await this.#publish(request);
    for (const path of request.committable.obsoletePaths ?? []) await this.#fs.delete(path);
  }

  async #publish(request: CommitRequest<FileSinkCommittable>): Promise<void> {
    const { inProgressPath, finalPath, sizeBytes, staged } = request.committable;
    if (staged !== undefined) return this.#commitStaged(request, { path: finalPath, sizeBytes, token: staged });
    const source = await this.#fs.status(inProgressPath);
    if (source === undefined) {
      if ((await this.#fs.status(finalPath)) === undefined) throw partLost(inProgressPath, `neither it nor "${finalPath}" is there`);
      request.signalAlreadyCommitted();
      return;
    }
    if (source.sizeBytes < sizeBytes) throw partLost(inProgressPath, `it has ${source.sizeBytes} bytes of ${sizeBytes}`);
    try {
      await this.#rename(inProgressPath, finalPath);
    } catch (error) {
      // The attempt that failed may still be committing the same: then the file has moved under our hands.
      if ((await this.#fs.status(inProgressPath)) !== undefined || (await this.#fs.status(finalPath)) === undefined) throw error;
      request.signalAlreadyCommitted();
    }
  }

  async #commitStaged(request: CommitRequest<FileSinkCommittable>, file: StagedFile): Promise<void> {
    const outcome = await (await this.#fs.stagedFiles!(file.path))!.commit(file);
    if (outcome === "lost") throw partLost(file.path, "neither it nor the upload it was to come from is there");
    if (outcome === "conflict") throw conflict("an upload", file.path);
    if (outcome === "already committed") request.signalAlreadyCommitted();
  }

  async #rename(inProgressPath: string, finalPath: string): Promise<void> {
    if ((await this.#fs.status(finalPath)) !== undefined) throw conflict(`"${inProgressPath}"`, finalPath);
    const directory = parentPath(finalPath);
    if (!this.#directories.has(directory)) {
      await this.#fs.mkdirs(directory);
      this.#directories.add(directory);
    }
    await this.#fs.rename(inProgressPath, finalPath);
  }
}

function conflict(what: string, finalPath: string): MillraceError {
  return new MillraceError({
    code: "FILE_SINK_PART_CONFLICT",
    message: `${what} is to become "${finalPath}", but a file of that name exists`,
    hint: "two jobs with the same id write to this directory; nothing was overwritten", location: { file: finalPath },
  });
}
