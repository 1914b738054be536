import type { StagedFiles } from "./staged-files.js";

/** What a directory listing says of one entry. */
export interface FileStatus {
  /** Absolute path or URI. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly isDirectory: boolean;
}

/** Sequential reader of a byte range. Close it. */
export interface FileReader {
  /**
   * The next bytes, at most `maxBytes`; `undefined` at the end. The returned array belongs to the caller. `into`, of at least `maxBytes`, may be filled and
   * returned in part: whoever reads much gives back what it has done with, and so needs few arrays.
   */
  read(maxBytes: number, into?: Uint8Array): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** Appends to a file. Bytes are durable after `close` resolved and, where {@link FileSystem.stagedFiles} is not needed, after `sync`. */
export interface FileWriter {
  readonly positionBytes: number;
  write(bytes: Uint8Array): Promise<void>;
  /** Forces what was written to stable storage. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file system, found by URI scheme (`file:` is the default).
 *
 * All paths are absolute. A missing file is `FILE_NOT_FOUND`, a refused one `FILE_ACCESS_DENIED`, a full disk `DISK_FULL`.
 */
export interface FileSystem {
  /** The absolute form of a path a user wrote: relative ones start at the working directory, a `file:` URI becomes its path. */
  resolve(path: string): string;
  read(path: string, fromByte?: number): Promise<FileReader>;
  /** Creates or truncates; parents are made. */
  create(path: string): Promise<FileWriter>;
  /** Opens an existing file for appending after cutting it to `lengthBytes`: how an in-progress file is resumed exactly. */
  resume(path: string, lengthBytes: number): Promise<FileWriter>;
  readFile(path: string): Promise<Uint8Array>;
  /** Writes a file so that readers see all of it or none (temporary name, sync, rename). */
  writeAtomic(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * Like `writeAtomic`, but only if nothing is at `path`: of several callers, in any process, exactly one gets `true`. A caller that gets an
   * error may have succeeded.
   */
  createExclusive(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Atomic; replaces the target. */
  rename(from: string, to: string): Promise<void>;
  /** `undefined` when there is nothing at `path`. */
  status(path: string): Promise<FileStatus | undefined>;
  /** Direct children, sorted by path. */
  list(directory: string): Promise<FileStatus[]>;
  /** Deletes a file or a whole directory; nothing there is fine. */
  delete(path: string): Promise<void>;
  mkdirs(path: string): Promise<void>;
  /**
   * For paths on a store of whole objects; `undefined` where files can be resumed and renamed. On such a store a created file shows when it is closed,
   * `rename` copies and is not atomic, `resume` is refused (`FILE_OPERATION_UNSUPPORTED`), and there are directories only where files are.
   */
  stagedFiles?(path: string): Promise<StagedFiles | undefined>;
}
