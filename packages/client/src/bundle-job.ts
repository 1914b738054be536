import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { threadId } from "node:worker_threads";
import { MillraceError, didYouMean } from "@millrace/core";
import { bundleWithEsbuild, type BundledPackages } from "./esbuild-bundle.js";
import { removeOldFiles } from "./remove-old-files.js";
import type { LibraryEntries } from "./library-bundle.js";

/** A job as one file: what plan workers and slots import. */
export interface JobArtifact {
  /** The job's module as the user named it, absolute. */
  readonly source: string;
  /** The bundle; its name is the hash of its content. */
  readonly file: string;
  readonly url: string;
  /** The bundled library it imports; whoever loads it must start from the same one. `undefined`: it imports the packages themselves. */
  readonly library: LibraryEntries | undefined;
  /** Entry points of the library that it imports by the URL of this installation. */
  readonly installed: Readonly<Record<string, string>>;
}

/** Bump when the bundle's shape changes, so that cached ones are not used. */
const BUNDLE_FORMAT = 4;

const KEPT_ARTIFACTS = 20;

/** This module. */
export const bundlerUrl: string = new URL("./bundle-job.js", import.meta.url).href;

interface CacheEntry {
  readonly format: number;
  readonly node: string;
  readonly file: string;
  /** URL of the bundled library that it imports; absent when it imports packages. */
  readonly library?: string;
  /** It imports parts of the library that the bundled one does not export, so it cannot use that. */
  readonly needsPackages: boolean;
  readonly installed: Readonly<Record<string, string>>;
  readonly inputs: readonly { readonly path: string; readonly modifiedMs: number; readonly sizeBytes: number }[];
}

/**
 * Bundles a job's module, TypeScript or JavaScript, into one ESM file with an inline source map, and keeps it in a cache that is valid as long as
 * none of its files changed. With `library` it imports `millrace` from there, if that is all it needs of the library. Packages stay outside and
 * are imported from where the job would have found them, unless `packages` asks for them; `import.meta.url` keeps meaning the source file.
 * @throws `JOB_FILE_NOT_FOUND`, `JOB_IMPORT_UNKNOWN`, `JOB_PACKAGE_NATIVE`, `JOB_DOES_NOT_COMPILE` (with file, line and column of the first error)
 */
export async function bundleJob(jobFile: string, library?: LibraryEntries, packages?: BundledPackages): Promise<JobArtifact> {
  const source = resolve(jobFile);
  if (!existsSync(source)) fileNotFound(source);
  const cache = cacheDirectory(dirname(source));
  const kind = packages === undefined ? "" : `\0${[...packages.except].sort().join()}`;
  const entryFile = join(cache, `${hash(source + kind).slice(0, 16)}.json`);
  const cached = readCacheEntry(entryFile);
  if (cached !== undefined && cached.library === (cached.needsPackages ? undefined : library?.millrace)) {
    return artifact(source, cached, cached.needsPackages ? undefined : library);
  }

  mkdirSync(cache, { recursive: true });
  // While esbuild works, and done before anything is written that it might take for old. One is about to be added.
  const cleaning = [/^[0-9a-f]{32}\.mjs$/, /^[0-9a-f]{16}\.json$/].map((names) => removeOldFiles(cache, names, KEPT_ARTIFACTS - 1));
  let [bundle] = await Promise.all([bundleWithEsbuild(source, cache, library ?? {}, packages), ...cleaning]);
  const { needsPackages } = bundle;
  if (needsPackages && library !== undefined) bundle = await bundleWithEsbuild(source, cache, { exports: library.exports }, packages);
  const used = needsPackages ? undefined : library;
  const { contents, inputs, installed } = bundle;
  const file = join(cache, `${hash(contents)}.mjs`);
  // At once: the program waits for it, and the thread is busy loading the rest of the command.
  writeAtomic(file, contents);
  const states = inputs.map((path) => {
    const { mtimeMs, size } = statSync(path);
    return { path, modifiedMs: mtimeMs, sizeBytes: size };
  });
  const entry: CacheEntry = { format: BUNDLE_FORMAT, node: process.version, file, needsPackages, installed, ...(used === undefined ? {} : { library: used.millrace }), inputs: states };
  writeAtomic(entryFile, JSON.stringify(entry));
  return artifact(source, entry, used);
}

function artifact(source: string, { file, installed }: CacheEntry, library: LibraryEntries | undefined): JobArtifact {
  return { source, file, url: pathToFileURL(file).href, library, installed };
}

/** `node_modules/.cache/millrace` of the project the job is in, else a directory of this user's among the temporary files. */
function cacheDirectory(from: string): string {
  for (let directory = from; ; directory = dirname(directory)) {
    const modules = join(directory, "node_modules");
    // Its real path, since Node looks for the sources from there.
    if (existsSync(modules)) return join(realpathSync(modules), ".cache", "millrace");
    if (dirname(directory) === directory) return join(tmpdir(), `millrace-${userInfo().username}`);
  }
}

/** At once, so that where there is none esbuild's process starts before anything else of the command is loaded. */
function readCacheEntry(entryFile: string): CacheEntry | undefined {
  try {
    const entry = JSON.parse(readFileSync(entryFile, "utf8")) as CacheEntry;
    if (entry.format !== BUNDLE_FORMAT || entry.node !== process.version || !existsSync(entry.file)) return undefined;
    for (const { path, modifiedMs, sizeBytes } of entry.inputs) {
      const { mtimeMs, size } = statSync(path);
      if (mtimeMs !== modifiedMs || size !== sizeBytes) return undefined;
    }
    const now = new Date();
    for (const file of [entry.file, entryFile]) utimesSync(file, now, now);
    return entry;
  } catch {
    return undefined;
  }
}

/** With the nearest name in its directory. */
function fileNotFound(source: string): never {
  const names = namesIn(dirname(source));
  const where = names === undefined ? `: there is no directory "${dirname(source)}" either` : "";
  const suggestion = names === undefined ? "" : didYouMean(basename(source), names.filter((name) => /\.[cm]?[jt]sx?$/.test(name)));
  throw new MillraceError({
    code: "JOB_FILE_NOT_FOUND", message: `there is no file "${source}"${where}`, ...(suggestion === "" ? {} : { hint: suggestion }), location: { file: source },
  });
}

function namesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

function writeAtomic(file: string, contents: string): void {
  const temporary = `${file}.${process.pid}.${threadId}.${Date.now()}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
