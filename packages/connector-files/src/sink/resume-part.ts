import { MillraceError, isMillraceError } from "@millrace/core";
import type { FileSystem, FileWriter, StagedFiles } from "@millrace/core";
import type { ClosedPart, InProgressPart, WaitingPart } from "./file-sink-state.js";

const COPY_BYTES = 1024 * 1024;

/** Goes on with a part file of this job: what was written after the checkpoint is cut off. */
export async function resumePart(fs: FileSystem, part: InProgressPart): Promise<FileWriter> {
  if ((await fs.status(part.inProgressPath)) === undefined) throw partLost(part.inProgressPath, "it is not there");
  try {
    return await fs.resume(part.inProgressPath, part.lengthBytes);
  } catch (error) {
    throw isMillraceError(error) && error.code === "FILE_TOO_SHORT" ? partLost(part.inProgressPath, error.message) : error;
  }
}

/**
 * Copies what a checkpoint covers of another job's part file. The file itself stays: that job may still be running, or start again from its checkpoint.
 *
 * When the other job has gone on and finished the file, the checkpointed bytes are the start of the finished one.
 */
export async function copyPart(fs: FileSystem, part: Pick<InProgressPart, "inProgressPath" | "finalPath" | "lengthBytes">, target: string): Promise<FileWriter> {
  const source = (await fs.status(part.inProgressPath)) !== undefined ? part.inProgressPath : part.finalPath;
  if ((await fs.status(source)) === undefined) throw partLost(part.inProgressPath, "neither it nor the finished file is there");
  const writer = await fs.create(target);
  await copyBytes(fs, source, part.lengthBytes, writer);
  return writer;
}

/** Makes a part that waited to be merged, as an object, one that is to be committed by itself. */
export async function stageCopy(fs: FileSystem, stagedFiles: StagedFiles, part: WaitingPart, finalPath: string): Promise<ClosedPart> {
  const { bucketId, inProgressPath, sizeBytes } = part;
  const writer = await stagedFiles.create(finalPath);
  try {
    await copyBytes(fs, inProgressPath, sizeBytes, writer);
    const { token } = await writer.stage();
    return { bucketId, inProgressPath, finalPath, sizeBytes, staged: token, obsoletePaths: [inProgressPath] };
  } finally {
    await writer.close();
  }
}

async function copyBytes(fs: FileSystem, source: string, lengthBytes: number, target: FileWriter): Promise<void> {
  const reader = await fs.read(source);
  try {
    for (let rest = lengthBytes; rest > 0; ) {
      const bytes = await reader.read(Math.min(COPY_BYTES, rest));
      if (bytes === undefined) throw partLost(source, `it ends ${rest} bytes before what the checkpoint holds`);
      await target.write(bytes);
      rest -= bytes.length;
    }
  } finally {
    await reader.close();
  }
}

/** The error for committed or checkpointed rows that are gone from the disk. */
export function partLost(path: string, why: string): MillraceError {
  return new MillraceError({
    code: "FILE_SINK_PART_LOST",
    message: `the checkpoint says that "${path}" holds rows of this sink, but ${why}: these rows are lost`,
    hint: "somebody deleted or moved the sink's files, or the checkpoint is older than they are; restore the files, or start from a checkpoint that matches them",
    location: { file: path },
  });
}
