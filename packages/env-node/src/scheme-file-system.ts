import { MillraceError, type FileReader, type FileStatus, type FileSystem, type FileWriter, type StagedFiles } from "@millrace/core";
import { LocalFileSystem } from "./local-file-system.js";

/** Packages with the file system of a scheme. Each exports `createFileSystem()`. */
const packages: Readonly<Record<string, string>> = { s3: "@millrace/fs-s3", s3a: "@millrace/fs-s3" };

/** Makes what a package of {@link packages} exports; injected for tests. */
export type LoadFileSystem = (packageName: string) => Promise<{ createFileSystem(): FileSystem }>;

/**
 * Files by the scheme of their path: of this machine without one or with `file:`, else of the package that knows the scheme, which is loaded when the first
 * such path is met.
 *
 * Errors beside those of the file systems: `FILE_SYSTEM_UNKNOWN` for a scheme nobody knows, `FILE_SYSTEM_MISSING` when its package is not installed,
 * `FILE_OPERATION_UNSUPPORTED` for a rename from one to another.
 */
export class SchemeFileSystem implements FileSystem {
  readonly #local: FileSystem;
  readonly #load: LoadFileSystem;
  readonly #loaded = new Map<string, Promise<FileSystem>>();

  constructor(local: FileSystem = new LocalFileSystem(), load: LoadFileSystem = (name) => import(name) as ReturnType<LoadFileSystem>) {
    this.#local = local;
    this.#load = load;
  }

  resolve(path: string): string {
    const scheme = schemeOf(path);
    if (scheme === undefined) return this.#local.resolve(path);
    if (packages[scheme] === undefined) throw unknown(scheme, path);
    return path.replace(/(?<=[^:/])\/+$/, "");
  }

  async read(path: string, fromByte?: number): Promise<FileReader> {
    return (await this.#of(path)).read(path, fromByte);
  }

  async create(path: string): Promise<FileWriter> {
    return (await this.#of(path)).create(path);
  }

  async resume(path: string, lengthBytes: number): Promise<FileWriter> {
    return (await this.#of(path)).resume(path, lengthBytes);
  }

  async readFile(path: string): Promise<Uint8Array> {
    return (await this.#of(path)).readFile(path);
  }

  async writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
    return (await this.#of(path)).writeAtomic(path, bytes);
  }

  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    return (await this.#of(path)).createExclusive(path, bytes);
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = await Promise.all([this.#of(from), this.#of(to)]);
    if (source === target) return source.rename(from, to);
    throw new MillraceError({ code: "FILE_OPERATION_UNSUPPORTED", message: `cannot rename ${from} to ${to}: they are in different file systems`, location: { file: from } });
  }

  async status(path: string): Promise<FileStatus | undefined> {
    return (await this.#of(path)).status(path);
  }

  async list(directory: string): Promise<FileStatus[]> {
    return (await this.#of(directory)).list(directory);
  }

  async delete(path: string): Promise<void> {
    return (await this.#of(path)).delete(path);
  }

  async mkdirs(path: string): Promise<void> {
    return (await this.#of(path)).mkdirs(path);
  }

  async stagedFiles(path: string): Promise<StagedFiles | undefined> {
    return (await this.#of(path)).stagedFiles?.(path);
  }

  #of(path: string): FileSystem | Promise<FileSystem> {
    const scheme = schemeOf(path);
    if (scheme === undefined) return this.#local;
    const name = packages[scheme];
    if (name === undefined) throw unknown(scheme, path);
    let loaded = this.#loaded.get(name);
    if (loaded === undefined) this.#loaded.set(name, (loaded = this.#loadPackage(name, path)));
    return loaded;
  }

  async #loadPackage(name: string, path: string): Promise<FileSystem> {
    try {
      return (await this.#load(name)).createFileSystem();
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
      throw new MillraceError({
        code: "FILE_SYSTEM_MISSING", message: `"${path}" needs the package ${name}, which is not installed here`, cause, location: { file: path },
        hint: `npm install ${name}, beside millrace, on every machine of the cluster`,
      });
    }
  }
}

/** The one of this process: what it has loaded, all users share. */
export const fileSystems: FileSystem = new SchemeFileSystem();

function schemeOf(path: string): string | undefined {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]+):\/\//.exec(path)?.[1]?.toLowerCase();
  return scheme === "file" ? undefined : scheme;
}

function unknown(scheme: string, path: string): MillraceError {
  return new MillraceError({
    code: "FILE_SYSTEM_UNKNOWN", message: `"${path}": no file system is known for ${scheme}://`, location: { file: path },
    hint: `known are file://, ${Object.keys(packages).map((known) => `${known}://`).join(", ")}`,
  });
}
