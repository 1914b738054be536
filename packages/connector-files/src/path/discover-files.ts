import { MillraceError, nearest } from "@millrace/core";
import type { FileStatus, FileSystem } from "@millrace/core";
import { isGlob, parseGlob } from "./glob.js";
import type { GlobSegment } from "./glob.js";
import { baseName, joinPath, parentPath, rootOf } from "./resolve-path.js";

/** Which files below a directory are read. Default: names that start with neither `.` nor `_`, as in Flink (in-progress and marker files). */
export type FileFilter = (path: string) => boolean;

/** Every path must be there and every glob match something; or only the former; or neither. */
export type MustExist = "all" | "paths" | "none";

/** The default {@link FileFilter}: names that start with neither `.` nor `_`. */
export const visibleFiles: FileFilter = (path) => !/^[._]/.test(baseName(path));

/**
 * Finds the files that absolute paths name: a file is itself, a directory all files below it that pass the filter, a glob what it matches.
 *
 * The result is sorted by path and has no duplicates. A file named literally is taken whatever the filter says. Directories that `enters` refuses are not looked into.
 * @throws `FILE_NOT_FOUND` for what must exist and does not.
 */
export async function discoverFiles(
  fs: FileSystem, paths: readonly string[], filter: FileFilter, mustExist: MustExist, enters: (directory: string) => boolean = () => true,
): Promise<FileStatus[]> {
  const found = new Map<string, FileStatus>();
  const collect = (status: FileStatus): Promise<void> => collectFiles(fs, status, filter, enters, found);
  for (const path of paths) {
    const status = await fs.status(path);
    if (status !== undefined) await collect({ ...status, path });
    else if (!isGlob(path)) {
      if (mustExist !== "none") throw await fileNotFound(fs, path);
    } else {
      let matched = false;
      const root = rootOf(path);
      for (const segments of parseGlob(path.slice(root.length))) {
        for (const match of await matchGlob(fs, root, segments)) {
          matched = true;
          await collect(match);
        }
      }
      if (mustExist === "all" && !matched) throw noMatch(path);
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** The error for a path where nothing is, with the nearest existing name in its (nearest existing) directory. */
export async function fileNotFound(fs: FileSystem, path: string): Promise<MillraceError> {
  let missing = path;
  let parent = parentPath(path);
  while (parent !== missing && (await fs.status(parent)) === undefined) [missing, parent] = [parent, parentPath(parent)];
  const names = parent === missing ? [] : (await fs.list(parent).catch(() => [])).map((child) => baseName(child.path));
  const similar = nearest(baseName(missing), names);
  return new MillraceError({
    code: "FILE_NOT_FOUND",
    message: `there is no file or directory "${path}"`,
    hint: similar !== undefined ? `did you mean "${joinPath(parent, similar)}"?`
      : missing !== path ? `"${missing}" does not exist either` : `relative paths start at the working directory of the process that builds the job`,
    location: { file: path },
  });
}

function noMatch(path: string): MillraceError {
  return new MillraceError({
    code: "FILE_NOT_FOUND",
    message: `no file matches "${path}"`,
    hint: "* and ? stay within one directory, ** spans directories, {a,b} are alternatives",
    location: { file: path },
  });
}

async function collectFiles(fs: FileSystem, status: FileStatus, filter: FileFilter, enters: (directory: string) => boolean, found: Map<string, FileStatus>): Promise<void> {
  if (!status.isDirectory) {
    found.set(status.path, status);
    return;
  }
  if (!enters(status.path)) return;
  for (const child of await listOrNothing(fs, status.path)) {
    if (child.isDirectory ? !/^[._]/.test(baseName(child.path)) : filter(child.path)) await collectFiles(fs, child, filter, enters, found);
  }
}

async function matchGlob(fs: FileSystem, directory: string, segments: readonly GlobSegment[]): Promise<FileStatus[]> {
  const [first, ...rest] = segments;
  if (first === undefined) return [];
  if (first.kind === "literal") {
    const status = await fs.status(joinPath(directory, first.text));
    if (status === undefined) return [];
    const there = { ...status, path: joinPath(directory, first.text) };
    return rest.length === 0 ? [there] : there.isDirectory ? matchGlob(fs, there.path, rest) : [];
  }
  const matches: FileStatus[] = [];
  if (first.kind === "globstar" && rest.length > 0) matches.push(...(await matchGlob(fs, directory, rest)));
  for (const child of await listOrNothing(fs, directory)) {
    const name = baseName(child.path);
    if (first.kind === "globstar") {
      if (name.startsWith(".")) continue;
      if (child.isDirectory) matches.push(...(await matchGlob(fs, child.path, segments)));
      else if (rest.length === 0) matches.push(child);
    } else if (first.matches(name)) {
      if (rest.length === 0) matches.push(child);
      else if (child.isDirectory) matches.push(...(await matchGlob(fs, child.path, rest)));
    }
  }
  return matches;
}

/** A directory that vanished between two looks is empty: files come and go while a directory is watched. */
async function listOrNothing(fs: FileSystem, directory: string): Promise<FileStatus[]> {
  try {
    return await fs.list(directory);
  } catch (error) {
    if ((await fs.status(directory)) === undefined) return [];
    throw error;
  }
}

