import { MillraceError, type FileReader, type FileStatus, type FileSystem, type FileWriter } from "@millrace/core";
import { DiskFaults } from "./disk-faults.js";
import type { Random } from "./random.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { Simulation } from "./simulation.js";
import { StoredFile } from "./stored-file.js";

const LEAST_US = 20;
const MOST_US = 2000;
/** An operation that was on its way when its process died is carried out all the same: this often. */
const LATE_EFFECT = 0.5;

/**
 * The file system of a cluster: every process sees the same files.
 *
 * An operation takes time before and after its effect. What was on its way when its process died may still happen, or a part of it. A written file
 * survives the death of its process, but only what was synced survives the loss of its host's power.
 */
export class SimulatedDisk {
  readonly faults: DiskFaults;
  /** Told of every file that appears whole under its name. */
  onPublished: ((path: string, bytes: Uint8Array, by: SimulatedProcess) => void) | undefined;
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #files = new Map<string, StoredFile>();
  readonly #directories = new Set<string>(["/"]);

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#random = simulation.random("disk");
    this.faults = new DiskFaults(simulation.random("disk faults"));
  }

  /** Paths of all files, sorted. */
  get paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** What is in a file now, without anybody's operation. */
  peek(path: string): Uint8Array | undefined {
    return this.#files.get(path)?.content;
  }

  /** A host loses its power: what its processes have not synced is lost or torn. */
  losePower(host: string): void {
    for (const [path, file] of this.#files) if (file.host === host && !file.losePower(this.#random)) this.#files.delete(path);
  }

  of(process: SimulatedProcess): FileSystem {
    const change = <T>(doing: string, path: string, effect: () => T): Promise<T> => this.#operate(process, doing, path, true, effect);
    const look = <T>(doing: string, path: string, effect: () => T): Promise<T> => this.#operate(process, doing, path, false, effect);
    const fs: FileSystem = {
      resolve: (path) => (path.startsWith("/") ? path : `/${path}`),
      read: async (path, fromByte = 0) => {
        const file = await look("read", path, () => this.#file(path));
        return this.#reader(look, path, file, fromByte);
      },
      create: async (path) => this.#writer(process, path, await change("create", path, () => this.#create(process, path))),
      resume: async (path, lengthBytes) => this.#writer(process, path, await change("resume", path, () => this.#resume(path, lengthBytes))),
      readFile: (path) => look("read", path, () => this.#file(path).content.slice()),
      writeAtomic: async (path, bytes) => {
        await this.#publish(process, path, bytes, true);
      },
      createExclusive: (path, bytes) => this.#publish(process, path, bytes, false),
      rename: (from, to) => change("rename", from, () => this.#rename(from, to)),
      status: (path) => look("look at", path, () => this.#status(path)),
      list: (directory) => look("list", directory, () => this.#list(directory)),
      delete: (path) => change("delete", path, () => this.#delete(path)),
      mkdirs: (path) => change("make directory", path, () => this.#mkdirs(path)),
    };
    return fs;
  }

  /** One operation of a process: takes effect, or not, and is then answered, if there is still somebody to answer. */
  #operate<T>(process: SimulatedProcess, doing: string, path: string, changes: boolean, effect: () => T): Promise<T> {
    const { faults } = this;
    return new Promise((resolve, reject) => {
      this.#simulation.schedule(this.#delayUs(process) + faults.hangUs(process.host, path), () => {
        if (!process.alive && (!changes || !this.#random.chance(LATE_EFFECT))) return;
        let error: unknown = faults.before(process.host, doing, path, changes && doing !== "delete");
        let result: T;
        if (error === undefined) {
          try {
            result = effect();
            if (changes) error = faults.after(process.host, doing, path);
          } catch (thrown) {
            error = thrown;
          }
        }
        process.later(this.#delayUs(process), () => (error === undefined ? resolve(result) : reject(error)));
      });
    });
  }

  #delayUs(process: SimulatedProcess): number {
    return this.#random.skewed(LEAST_US, MOST_US) * this.faults.slowness(process.host);
  }

  /** As on a real disk: a temporary file, synced, then given its name. What stops in between leaves the temporary file. */
  async #publish(process: SimulatedProcess, path: string, bytes: Uint8Array, replaces: boolean): Promise<boolean> {
    const temporary = `${parentOf(path)}/.${path.slice(path.lastIndexOf("/") + 1)}.${this.#random.int(0, 0xffffff).toString(16)}.tmp`;
    try {
      await this.#operate(process, "write", path, true, () => {
        const file = this.#create(process, temporary);
        file.append(bytes);
        file.sync();
        file.named = true;
      });
      return await this.#operate(process, "write", path, true, () => {
        const file = this.#file(temporary);
        if (!replaces && this.#files.has(path)) return false;
        this.#files.set(path, file);
        this.#files.delete(temporary);
        this.onPublished?.(path, file.content, process);
        return true;
      });
    } finally {
      this.#files.delete(temporary);
    }
  }

  #reader(look: <T>(doing: string, path: string, effect: () => T) => Promise<T>, path: string, file: StoredFile, fromByte: number): FileReader {
    let position = fromByte;
    return {
      read: (maxBytes) => look("read", path, () => {
        if (position >= file.length) return undefined;
        // A read may give less than was asked for.
        const part = file.content.slice(position, position + (this.#random.chance(0.2) ? Math.max(1, maxBytes >> 1) : maxBytes));
        position += part.length;
        return part;
      }),
      close: async () => undefined,
    };
  }

  #writer(process: SimulatedProcess, path: string, file: StoredFile): FileWriter {
    let positionBytes = file.length;
    let failure: unknown;
    let closed = false;
    let last: Promise<unknown> = Promise.resolve();
    /** Writes may overlap and keep their order; after a failure the writer stays failed. */
    const inOrder = (doing: string, effect: () => void): Promise<void> => {
      const done = last.then(() => {
        if (failure !== undefined) throw failure;
        return this.#operate(process, doing, path, true, effect);
      });
      last = done.catch((error: unknown) => {
        failure ??= error;
      });
      return done;
    };
    const flush = (): void => {
      file.sync();
      file.named = true;
    };
    return {
      get positionBytes() {
        return positionBytes;
      },
      write: (bytes) => {
        if (closed) return Promise.reject(new MillraceError({ code: "FILE_CLOSED", message: `cannot write to ${path}: the writer is closed` }));
        positionBytes += bytes.length;
        return inOrder("write to", () => {
          // A process that died in the middle leaves a part; a full disk leaves one, too.
          file.append(process.alive ? bytes : bytes.subarray(0, this.#random.int(0, bytes.length)));
          file.modifiedMs = Math.floor(this.#simulation.nowMs);
        });
      },
      sync: () => inOrder("sync", flush),
      close: () => {
        if (closed) return Promise.resolve();
        closed = true;
        return inOrder("close", flush);
      },
    };
  }

  #file(path: string): StoredFile {
    const file = this.#files.get(path);
    if (file === undefined) throw notFound(path);
    return file;
  }

  #create(process: SimulatedProcess, path: string): StoredFile {
    const file = new StoredFile(process.host, Math.floor(this.#simulation.nowMs));
    this.#mkdirs(parentOf(path));
    this.#files.set(path, file);
    return file;
  }

  #resume(path: string, lengthBytes: number): StoredFile {
    const file = this.#file(path);
    if (file.length < lengthBytes) {
      throw new MillraceError({ code: "FILE_TOO_SHORT", message: `cannot resume ${path} at ${lengthBytes} bytes: it has only ${file.length}`, location: { file: path } });
    }
    file.cut(lengthBytes);
    return file;
  }

  #rename(from: string, to: string): void {
    const file = this.#file(from);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  #status(path: string): FileStatus | undefined {
    const file = this.#files.get(path);
    if (file !== undefined) return { path, sizeBytes: file.length, modifiedMs: file.modifiedMs, isDirectory: false };
    return this.#directories.has(path) ? { path, sizeBytes: 0, modifiedMs: 0, isDirectory: true } : undefined;
  }

  #list(directory: string): FileStatus[] {
    if (!this.#directories.has(directory)) throw notFound(directory);
    const children = [...this.#files.keys(), ...this.#directories].filter((path) => path !== "/" && parentOf(path) === directory);
    return children.sort().map((path) => this.#status(path)!);
  }

  #delete(path: string): void {
    this.#files.delete(path);
    const prefix = `${path}/`;
    for (const name of this.#files.keys()) if (name.startsWith(prefix)) this.#files.delete(name);
    for (const name of this.#directories) if (name === path || name.startsWith(prefix)) this.#directories.delete(name);
  }

  #mkdirs(path: string): void {
    for (let at = path; !this.#directories.has(at); at = parentOf(at)) this.#directories.add(at);
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function notFound(path: string): MillraceError {
  return new MillraceError({ code: "FILE_NOT_FOUND", message: `there is no file "${path}"`, location: { file: path } });
}
