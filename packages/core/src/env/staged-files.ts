import type { FileWriter } from "./file-system.js";

/** A file that is written and not yet visible, as plain data for checkpoints. Any process can {@link StagedFiles.commit} it. */
export interface StagedFile {
  /** Where it shows once it is committed. */
  readonly path: string;
  readonly sizeBytes: number;
  /** What the store needs to know of it; nobody else reads it. */
  readonly token: string;
}

/** Writes a file that shows only when it is committed. */
export interface StagedFileWriter extends FileWriter {
  /** Ends the file, durable and hidden. Closing the writer instead throws the file away. */
  stage(): Promise<StagedFile>;
}

/** What a commit found. */
export type StagedFileCommit = "committed" | "already committed" | "lost" | "conflict";

/**
 * How files become visible on stores of whole objects, which can neither append nor rename: they are written in pieces that nobody sees, and a
 * commit makes all of one file visible at once. Amazon S3: multipart uploads. Flink: RecoverableWriter.
 */
export interface StagedFiles {
  /** @param path that nobody else ever writes to */
  create(path: string): Promise<StagedFileWriter>;
  /** Idempotent. `"lost"` when neither the pieces nor the file are there, `"conflict"` when something else is at the path; nothing is overwritten. */
  commit(file: StagedFile): Promise<StagedFileCommit>;
  /** Files below the directory that were begun, and neither committed nor thrown away. */
  list(directory: string): Promise<readonly StagedFile[]>;
  /** Throws the pieces away; nothing there is fine. */
  discard(file: StagedFile): Promise<void>;
}
