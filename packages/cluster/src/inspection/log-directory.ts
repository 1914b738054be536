import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { MillraceError } from "@millrace/core";
import { readPiece } from "./file-piece.js";
import type { LogFile, LogPiece } from "./process-inspection.js";

/**
 * The log files of one process: `<name>.log`, `<name>.out` and what was put aside of them. Other files of the directory do not exist here, nor do links.
 */
export class LogDirectory {
  readonly #directory: string;
  readonly #name: string;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  async list(): Promise<readonly LogFile[]> {
    const names = (await readdir(this.#directory).catch(() => [])).filter((name) => this.#isOwn(name)).sort();
    const files = await Promise.all(names.map(async (name) => {
      const status = await lstat(join(this.#directory, name)).catch(() => undefined);
      return status?.isFile() === true ? [{ name, sizeBytes: status.size, modifiedMs: Math.round(status.mtimeMs) }] : [];
    }));
    return files.flat();
  }

  /** At most 256 KiB; nothing at the end of the file. @throws `LOG_UNKNOWN` */
  async read(name: string, offset: number): Promise<LogPiece> {
    if (!this.#isOwn(name) || !Number.isSafeInteger(offset) || offset < 0) throw unknownLog(name);
    return readPiece(join(this.#directory, name), offset, () => unknownLog(name));
  }

  #isOwn(name: string): boolean {
    return name.startsWith(`${this.#name}.`) && /^\.(log|out)(\.\d{1,6})?$/.test(name.slice(this.#name.length));
  }
}

/** `LOG_UNKNOWN` */
export function unknownLog(name: string): MillraceError {
  return new MillraceError({ code: "LOG_UNKNOWN", message: `there is no log file "${name.slice(0, 100)}"` });
}
