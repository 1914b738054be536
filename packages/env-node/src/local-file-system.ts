import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as nodePath from "node:path";
import { fileURLToPath } from "node:url";
import { MillraceError, type FileReader, type FileStatus, type FileSystem, type FileWriter } from "@millrace/core";
import { fileError, isMissing } from "./file-errors.js";
import { LocalFileReader, LocalFileWriter } from "./local-file-streams.js";

/**
 * The machine's own file system. Takes absolute paths and `file:` URLs, returns plain paths. Holds nothing open.
 *
 * Durable: new names are synced into their directories. `writeAtomic` leaves a `.<name>.<random>.tmp` behind when the process dies in it.
 */
export class LocalFileSystem implements FileSystem {
  resolve(path: string): string {
    return path.startsWith("file:") ? toLocalPath(path) : nodePath.resolve(path);
  }

  async read(path: string, fromByte: number = 0): Promise<FileReader> {
    const local = toLocalPath(path);
    return guard("read", local, async () => {
      const handle = await fs.open(local, "r");
      if ((await handle.stat()).isDirectory()) {
        await handle.close();
        throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
      }
      return new LocalFileReader(handle, local, fromByte);
    });
  }

  async create(path: string): Promise<FileWriter> {
    const local = toLocalPath(path);
    return guard("create", local, async () => {
      await makeDirectories(nodePath.dirname(local));
      const handle = await fs.open(local, "w");
      return new LocalFileWriter(handle, local, 0, () => syncDirectory(nodePath.dirname(local)));
    });
  }

  async resume(path: string, lengthBytes: number): Promise<FileWriter> {
    const local = toLocalPath(path);
    return guard("resume", local, async () => {
      const handle = await fs.open(local, "r+");
      try {
        const sizeBytes = (await handle.stat()).size;
        if (sizeBytes < lengthBytes) {
          throw new MillraceError({
            code: "FILE_TOO_SHORT",
            message: `cannot resume ${local} at ${lengthBytes} bytes: it has only ${sizeBytes}`,
            hint: "the file was cut or replaced after the checkpoint that this job restores",
            location: { file: local },
          });
        }
        await handle.truncate(lengthBytes);
      } catch (error) {
        await handle.close();
        throw error;
      }
      return new LocalFileWriter(handle, local, lengthBytes, async () => {});
    });
  }

  async readFile(path: string): Promise<Uint8Array> {
    const local = toLocalPath(path);
    const bytes = await guard("read", local, () => fs.readFile(local));
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
    await this.#writeThen(path, bytes, async (temporary, local) => fs.rename(temporary, local));
  }

  /** By a hard link, which unlike a rename never replaces. */
  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    let created = true;
    await this.#writeThen(path, bytes, async (temporary, local) => {
      try {
        await fs.link(temporary, local);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        created = false;
      }
      await fs.rm(temporary, { force: true });
    });
    return created;
  }

  /** Writes a temporary file beside `path`, and then has `publish` give it its name. */
  async #writeThen(path: string, bytes: Uint8Array, publish: (temporary: string, local: string) => Promise<void>): Promise<void> {
    const local = toLocalPath(path);
    const directory = nodePath.dirname(local);
    const temporary = nodePath.join(directory, `.${nodePath.basename(local)}.${randomBytes(6).toString("hex")}.tmp`);
    await guard("write", local, async () => {
      await makeDirectories(directory);
      try {
        await fs.writeFile(temporary, bytes, { flag: "wx", flush: true } as object);
        await publish(temporary, local);
      } catch (error) {
        await fs.rm(temporary, { force: true });
        throw error;
      }
      await syncDirectory(directory);
    });
  }

  async rename(from: string, to: string): Promise<void> {
    const source = toLocalPath(from);
    const target = toLocalPath(to);
    await guard(`rename to ${target}`, source, async () => {
      await fs.rename(source, target);
      await syncDirectory(nodePath.dirname(target));
      if (nodePath.dirname(source) !== nodePath.dirname(target)) await syncDirectory(nodePath.dirname(source));
    });
  }

  async status(path: string): Promise<FileStatus | undefined> {
    const local = toLocalPath(path);
    try {
      return await statusOf(local);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw fileError(error, "look at", local);
    }
  }

  async list(directory: string): Promise<FileStatus[]> {
    const local = toLocalPath(directory);
    const names = await guard("list", local, () => fs.readdir(local));
    const found = await Promise.all(names.map((name) => this.status(nodePath.join(local, name))));
    // Whatever vanished since it was listed is not there.
    const entries = found.filter((entry) => entry !== undefined);
    return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async delete(path: string): Promise<void> {
    const local = toLocalPath(path);
    if (nodePath.dirname(local) === local) {
      throw new MillraceError({ code: "FILE_ACCESS_DENIED", message: `refusing to delete ${local}, the root of the file system`, location: { file: local } });
    }
    await guard("delete", local, () => fs.rm(local, { recursive: true, force: true }));
  }

  async mkdirs(path: string): Promise<void> {
    const local = toLocalPath(path);
    await guard("make directory", local, () => makeDirectories(local));
  }
}

function toLocalPath(path: string): string {
  const local = path.startsWith("file:") ? fileURLToPath(path) : path;
  if (nodePath.isAbsolute(local)) return nodePath.normalize(local);
  throw new MillraceError({
    code: "PATH_NOT_ABSOLUTE",
    message: `"${path}" is not an absolute path`,
    hint: `use "${nodePath.resolve(local)}"`,
    location: { file: path },
  });
}

async function guard<T>(doing: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof MillraceError ? error : fileError(error, doing, path);
  }
}

async function statusOf(path: string): Promise<FileStatus> {
  const stat = await fs.stat(path);
  const isDirectory = stat.isDirectory();
  return { path, sizeBytes: isDirectory ? 0 : stat.size, modifiedMs: Math.floor(stat.mtimeMs), isDirectory };
}

/** Makes a directory and its parents, and syncs every new name into its parent. */
async function makeDirectories(path: string): Promise<void> {
  const first = await fs.mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = nodePath.dirname(made)) await syncDirectory(nodePath.dirname(made));
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open directories; its file systems journal names themselves.
  if (process.platform === "win32") return;
  const handle = await fs.open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
