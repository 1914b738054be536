import { MillraceError, type FileReader, type FileStatus, type FileSystem, type FileWriter } from "@millrace/core";

/** Files in memory, enough for checkpoints. */
export class MemoryFiles implements FileSystem {
  resolve(path: string): string {
    return path;
  }

  readonly files: Map<string, Uint8Array> = new Map();
  /** Makes the next writes fail. */
  failWrites = false;

  async read(path: string, fromByte = 0): Promise<FileReader> {
    const bytes = await this.readFile(path);
    let at = fromByte;
    return {
      read: async (maxBytes) => {
        if (at >= bytes.length) return undefined;
        const chunk = bytes.slice(at, at + maxBytes);
        at += chunk.length;
        return chunk;
      },
      close: async () => undefined,
    };
  }
  async create(path: string): Promise<FileWriter> {
    if (this.failWrites) throw new MillraceError({ code: "DISK_FULL", message: "no space left" });
    const { files } = this;
    files.set(path, new Uint8Array(0));
    return {
      get positionBytes() {
        return files.get(path)!.length;
      },
      write: async (bytes) => {
        const old = files.get(path)!;
        const joined = new Uint8Array(old.length + bytes.length);
        joined.set(old);
        joined.set(bytes, old.length);
        files.set(path, joined);
      },
      sync: async () => undefined,
      close: async () => undefined,
    };
  }
  async readFile(path: string): Promise<Uint8Array> {
    const bytes = this.files.get(path);
    if (bytes === undefined) throw new MillraceError({ code: "FILE_NOT_FOUND", message: path });
    return bytes;
  }
  async writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
    this.files.set(path, bytes);
  }
  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    if (this.files.has(path)) return false;
    this.files.set(path, bytes);
    return true;
  }
  async resume(): Promise<FileWriter> {
    throw new Error("not needed here");
  }
  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, await this.readFile(from));
    this.files.delete(from);
  }
  async status(): Promise<FileStatus | undefined> {
    return undefined;
  }
  async list(): Promise<FileStatus[]> {
    return [];
  }
  async delete(path: string): Promise<void> {
    this.files.delete(path);
  }
  async mkdirs(): Promise<void> {}
}
