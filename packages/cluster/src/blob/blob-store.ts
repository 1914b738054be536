import { MillraceError, type FileSystem } from "@millrace/core";
import type { ClusterEnv } from "../rpc/cluster-env.js";

/** One piece of a blob on its way. */
export const BLOB_PIECE_BYTES = 1024 * 1024;
export const MAX_BLOB_BYTES = 256 * 1024 * 1024;

const KEY = /^[0-9a-f]{64}$/;

/** A piece of a blob, and how long the whole is. */
export interface BlobPiece {
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
}

/**
 * Files named by the SHA-256 of their content, in one directory. A name is 64 hexadecimal digits and nothing else, so no path can be made of it;
 * what is read back is checked against its name.
 */
export class BlobStore {
  readonly #fs: FileSystem;
  readonly #sha256Hex: ClusterEnv["sha256Hex"];
  readonly #directory: string;

  /** @param directory absolute */
  constructor(env: Pick<ClusterEnv, "fs" | "sha256Hex">, directory: string) {
    this.#fs = env.fs;
    this.#sha256Hex = env.sha256Hex;
    this.#directory = directory;
  }

  /** Where a blob is, or will be. @throws `BLOB_KEY_INVALID` */
  path(key: string): string {
    return `${this.#directory}/${checkBlobKey(key)}.mjs`;
  }

  async has(key: string): Promise<boolean> {
    return (await this.#fs.status(this.path(key))) !== undefined;
  }

  /** Keeps a blob that came from somewhere else. @throws `BLOB_CORRUPT` when it is not the one that `key` names */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.path(key);
    this.#check(key, bytes);
    await this.#fs.mkdirs(this.#directory);
    await this.#fs.writeAtomic(path, bytes);
  }

  /** @throws `BLOB_NOT_FOUND`, `BLOB_CORRUPT` */
  async get(key: string): Promise<Uint8Array> {
    if (!(await this.has(key))) throw notFound(key);
    const bytes = await this.#fs.readFile(this.path(key));
    this.#check(key, bytes);
    return bytes;
  }

  /** Deletes a blob, if it is there. */
  async delete(key: string): Promise<void> {
    await this.#fs.delete(this.path(key));
  }

  async readPiece(key: string, offset: number): Promise<BlobPiece> {
    const status = await this.#fs.status(this.path(key));
    if (status === undefined) throw notFound(key);
    const reader = await this.#fs.read(this.path(key), offset);
    try {
      return { bytes: (await reader.read(BLOB_PIECE_BYTES)) ?? new Uint8Array(0), sizeBytes: status.sizeBytes };
    } finally {
      await reader.close();
    }
  }

  #check(key: string, bytes: Uint8Array): void {
    if (this.#sha256Hex(bytes) === key) return;
    throw new MillraceError({ code: "BLOB_CORRUPT", message: `the content of blob ${key} is not what its name says`, recovery: "restart" });
  }
}

/** A blob that comes in pieces, in order. Keeps no more than {@link MAX_BLOB_BYTES}. */
export class BlobUpload {
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  /** @throws `BLOB_PIECE_INVALID`, `BLOB_TOO_LARGE` */
  append(offset: number, bytes: Uint8Array): void {
    if (offset !== this.#sizeBytes || bytes.length > BLOB_PIECE_BYTES) {
      throw new MillraceError({ code: "BLOB_PIECE_INVALID", message: `a piece of a blob begins at ${offset} and has ${bytes.length} bytes, but ${this.#sizeBytes} are there` });
    }
    if (offset + bytes.length > MAX_BLOB_BYTES) throw new MillraceError({ code: "BLOB_TOO_LARGE", message: `a blob may have at most ${MAX_BLOB_BYTES} bytes` });
    this.#pieces.push(bytes);
    this.#sizeBytes += bytes.length;
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.#sizeBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    return whole;
  }
}

/** @throws `BLOB_KEY_INVALID` */
export function checkBlobKey(key: unknown): string {
  if (typeof key === "string" && KEY.test(key)) return key;
  throw new MillraceError({ code: "BLOB_KEY_INVALID", message: "a blob's key is the SHA-256 of its content, 64 hexadecimal digits" });
}

function notFound(key: string): MillraceError {
  return new MillraceError({ code: "BLOB_NOT_FOUND", message: `there is no blob ${key}` });
}
