import { MillraceError, type FileReader, type FileStatus, type FileSystem, type FileWriter } from "@millrace/core";

interface StoredFile {
  bytes: Uint8Array;
  readonly modifiedMs: number;
}

/** A file system in memory. Every operation is done by the time its promise is awaited; directories exist as soon as something is in them. */
export class MemoryFileSystem implements FileSystem {
  readonly #files = new Map<string, StoredFile>();
  readonly #directories = new Set<string>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => 0) {
    this.#nowMs = nowMs;
  }

  /** The working directory is the root. */
  resolve(path: string): string {
    return path.startsWith("/") ? path : `/${path}`;
  }

  /** Paths of all files, sorted. */
  get paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  async read(path: string, fromByte = 0): Promise<FileReader> {
    const { bytes } = this.#file(path);
    let position = fromByte;
    return {
      read: async (maxBytes) => {
        if (position >= bytes.length) return undefined;
        const part = bytes.slice(position, position + maxBytes);
        position += part.length;
        return part;
      },
      close: async () => undefined,
    };
  }

  async create(path: string): Promise<FileWriter> {
    return this.#writer(path, new Uint8Array());
  }

  async resume(path: string, lengthBytes: number): Promise<FileWriter> {
    return this.#writer(path, this.#file(path).bytes.slice(0, lengthBytes));
  }

  async readFile(path: string): Promise<Uint8Array> {
    return this.#file(path).bytes.slice();
  }

  async writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(path, { bytes: bytes.slice(), modifiedMs: this.#nowMs() });
  }

  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    if (this.#files.has(path)) return false;
    await this.writeAtomic(path, bytes);
    return true;
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#file(from);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  async status(path: string): Promise<FileStatus | undefined> {
    const file = this.#files.get(path);
    if (file !== undefined) return { path, sizeBytes: file.bytes.length, modifiedMs: file.modifiedMs, isDirectory: false };
    const isDirectory = this.#directories.has(path) || [...this.#files.keys()].some((name) => name.startsWith(`${path}/`));
    return isDirectory ? { path, sizeBytes: 0, modifiedMs: 0, isDirectory: true } : undefined;
  }

  async list(directory: string): Promise<FileStatus[]> {
    const prefix = directory.endsWith("/") ? directory : `${directory}/`;
    const children = new Set<string>();
    for (const path of [...this.#files.keys(), ...this.#directories]) {
      if (path.startsWith(prefix)) children.add(prefix + path.slice(prefix.length).split("/")[0]!);
    }
    if (children.size === 0 && !this.#directories.has(directory)) throw notFound(directory);
    return Promise.all([...children].sort().map(async (path) => (await this.status(path))!));
  }

  async delete(path: string): Promise<void> {
    for (const name of this.#files.keys()) if (name === path || name.startsWith(`${path}/`)) this.#files.delete(name);
    for (const name of this.#directories) if (name === path || name.startsWith(`${path}/`)) this.#directories.delete(name);
  }

  async mkdirs(path: string): Promise<void> {
    this.#directories.add(path);
  }

  #file(path: string): StoredFile {
    const file = this.#files.get(path);
    if (file === undefined) throw notFound(path);
    return file;
  }

  #writer(path: string, initial: Uint8Array): FileWriter {
    const file: StoredFile = { bytes: initial, modifiedMs: this.#nowMs() };
    this.#files.set(path, file);
    return {
      get positionBytes() {
        return file.bytes.length;
      },
      write: async (bytes) => {
        const joined = new Uint8Array(file.bytes.length + bytes.length);
        joined.set(file.bytes);
        joined.set(bytes, file.bytes.length);
        file.bytes = joined;
      },
      sync: async () => undefined,
      close: async () => undefined,
    };
  }
}

function notFound(path: string): MillraceError {
  return new MillraceError({ code: "FILE_NOT_FOUND", message: `there is no file "${path}"`, location: { file: path } });
}
