import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** A job that runs imports its artifact again after a failure, so what was used lately is never removed. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Removes a cache's old files or directories whose names match, all but the newest `keep` and those used within the last week. */
export async function removeOldFiles(directory: string, name: RegExp, keep: number): Promise<void> {
  const paths = (await readdir(directory)).filter((entry) => name.test(entry)).map((entry) => join(directory, entry));
  const files = await Promise.all(paths.map(async (path) => ({ path, modifiedMs: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })));
  const old = files.sort((a, b) => b.modifiedMs - a.modifiedMs).slice(keep).filter(({ modifiedMs }) => Date.now() - modifiedMs > KEPT_MS);
  await Promise.all(old.map(({ path }) => rm(path, { recursive: true, force: true })));
}
