import type { FileReader } from "@millrace/core";
import { LocalFileSystem } from "@millrace/env-node";

/** The local file system, with reads cut short, so that chunk borders fall anywhere. */
export class ChoppyFileSystem extends LocalFileSystem {
  readonly #nextLength: () => number;

  constructor(nextLength: () => number) {
    super();
    this.#nextLength = nextLength;
  }

  override async read(path: string, fromByte?: number): Promise<FileReader> {
    const reader = await super.read(path, fromByte);
    return { read: (maxBytes) => reader.read(Math.max(1, Math.min(maxBytes, this.#nextLength()))), close: () => reader.close() };
  }
}
