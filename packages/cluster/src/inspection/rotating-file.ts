import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

export interface RotatingFileInit {
  readonly path: string;
  /** A file that has grown beyond is put aside. */
  readonly maxBytes: number;
  /** So many old ones are kept. */
  readonly maxFiles: number;
}

/**
 * A file that is written at its end and put aside when it has become too large: `x.log` becomes `x.log.1`, that `x.log.2`, and so on; the oldest goes.
 * One that is there from an earlier run is put aside, too. Writes are synchronous, so that the last words of a process are in it.
 */
export class RotatingFile {
  readonly #init: RotatingFileInit;
  #file: number | undefined;
  #bytes = 0;

  /** @throws what the file system does, when the file cannot be opened */
  constructor(init: RotatingFileInit) {
    this.#init = init;
    this.#open();
    if (this.#bytes > 0) this.#rotate();
  }

  /** Never throws: what a full or broken disk does not take is lost, and logging must not stop what it tells of. */
  write(chunk: string | Uint8Array): void {
    if (this.#file === undefined) return;
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    try {
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#init.maxBytes) this.#rotate();
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
      this.#bytes += bytes.length;
    } catch {
      // As said above.
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): void {
    this.#file = openSync(this.#init.path, "a", 0o600);
    this.#bytes = fstatSync(this.#file).size;
  }

  #rotate(): void {
    const { path, maxFiles } = this.#init;
    this.close();
    rmSync(`${path}.${maxFiles}`, { force: true });
    for (let at = maxFiles - 1; at >= 0; at--) {
      try {
        renameSync(at === 0 ? path : `${path}.${at}`, `${path}.${at + 1}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
    this.#open();
  }
}
