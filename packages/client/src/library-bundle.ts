import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { BuildOptions, Plugin } from "esbuild";
import { fileURLToPath, pathToFileURL } from "node:url";
import { removeOldFiles } from "./remove-old-files.js";
import { sourceUrls } from "./source-urls.js";

/** Modules of the library that a worker thread starts with, by a name of their own. All URLs. */
export type LibraryEntries = Readonly<Record<"millrace" | "slot" | "program", string>> & {
  /** The command, for processes that need none of the library but it; its modules are shared with no other entry's but `bundler`'s. */
  readonly command?: string | undefined;
  /** What the command bundles jobs with (`bundle-job.ts`), for it to begin before the rest of it is loaded. */
  readonly bundler?: string | undefined;
  /** The names that `millrace` exports, of a library that was bundled. */
  readonly exports?: readonly string[] | undefined;
};

const KEPT_LIBRARIES = 2;
/** The folder of the command and of its bundler in a bundle. */
const COMMAND = "command";
/** For packages that are CommonJS. */
const REQUIRE = 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

interface Manifest {
  readonly node: string;
  readonly directory: string;
  readonly exports: readonly string[];
  readonly inputs: readonly (readonly [path: string, modifiedMs: number, sizeBytes: number])[];
}

/**
 * The library in a few files instead of some hundred, which takes three quarters off the start of a worker thread. The entries share their
 * code, so that there is one copy of every class in a thread. Kept beside the installed library; made again when one of its files changes.
 *
 * `undefined` when there is none yet; {@link buildLibraryBundle} makes it.
 */
export function findLibraryBundle(entries: Pick<LibraryEntries, "millrace">): LibraryEntries | undefined {
  try {
    const path = manifestFile(entries);
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
    // An installation that was copied brings along what was made for the one it is a copy of.
    if (manifest.node !== process.version || dirname(manifest.directory) !== dirname(path) || !existsSync(manifest.directory)) return undefined;
    for (const [input, modifiedMs, sizeBytes] of manifest.inputs) {
      const { mtimeMs, size } = statSync(input);
      if (mtimeMs !== modifiedMs || size !== sizeBytes) return undefined;
    }
    return bundled(manifest);
  } catch {
    return undefined;
  }
}

/** Makes the bundle. `undefined` when it cannot be written: then the entries are used as they are. */
export async function buildLibraryBundle(entries: LibraryEntries): Promise<LibraryEntries | undefined> {
  const { build } = await import("esbuild");
  const { millrace, slot, program, command, bundler } = entries;
  const shared = { millrace, slot, program };
  const manifestPath = manifestFile(entries);
  const cache = dirname(manifestPath);
  const temporary = join(cache, `library-${process.pid}-${Date.now()}`);
  try {
    const options = {
      outExtension: { ".js": ".mjs" }, absWorkingDir: cache, bundle: true, splitting: true, format: "esm" as const, platform: "node" as const, target: "node20", conditions: [] as string[], metafile: true as const, logLevel: "silent" as const,
    } satisfies BuildOptions;
    const threads = await build({
      ...options, entryPoints: Object.fromEntries(Object.entries(shared).map(([name, url]) => [name, fileURLToPath(url)])), outdir: temporary, plugins: [loadedOnDemand],
    });
    const own = command === undefined ? undefined : await build({
      ...options, entryPoints: { command: fileURLToPath(command), ...(bundler === undefined ? {} : { bundler: fileURLToPath(bundler) }) }, outdir: join(temporary, COMMAND), plugins: [loadedOnDemand, otherCommands, sourceUrls()], banner: { js: REQUIRE },
    });
    const inputs = Object.keys({ ...threads.metafile.inputs, ...own?.metafile.inputs }).map((input) => {
      const path = resolve(cache, input);
      const { mtimeMs, size } = statSync(path);
      return [path, mtimeMs, size] as const;
    });
    const directory = join(cache, `library-${createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16)}`);
    if (existsSync(directory)) rmSync(temporary, { recursive: true });
    else renameSync(temporary, directory);
    const [, { exports: names }] = Object.entries(threads.metafile.outputs).find(([output]) => output.endsWith("/millrace.mjs"))!;
    const manifest: Manifest = { node: process.version, directory, exports: names, inputs };
    writeFileSync(`${manifestPath}.${process.pid}`, JSON.stringify(manifest));
    renameSync(`${manifestPath}.${process.pid}`, manifestPath);
    await removeOldFiles(cache, /^library-[\w-]+$/, KEPT_LIBRARIES);
    return bundled(manifest);
  } catch {
    rmSync(temporary, { recursive: true, force: true });
    return undefined;
  }
}

function bundled({ directory, exports }: Manifest): LibraryEntries {
  const url = (name: string): string => pathToFileURL(join(directory, `${name}.mjs`)).href;
  const own = Object.fromEntries(["command", "bundler"].filter((name) => existsSync(join(directory, COMMAND, `${name}.mjs`))).map((name) => [name, url(join(COMMAND, name))]));
  return { millrace: url("millrace"), slot: url("slot"), program: url("program"), ...own, exports };
}

/** What only a program's own thread needs stays where it is, and what is no module of ours. */
const loadedOnDemand: Plugin = {
  name: "loaded-on-demand",
  setup({ onResolve }) {
    onResolve({ filter: /^(@millrace\/(cli(\/|$)|cluster\/in-thread)|esbuild$)/ }, ({ path }) => ({ path: import.meta.resolve(path), external: true }));
  },
};

/** The command is bundled for `run`. What others load when they are asked for would be checked for changes at each start. */
const otherCommands: Plugin = {
  name: "other-commands",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/([\w-]+-commands?|local-cluster)\.js$/ }, ({ path, resolveDir, kind }) =>
      kind === "dynamic-import" && path !== "./run-command.js" ? { path: pathToFileURL(join(resolveDir, path)).href, external: true } : undefined);
  },
};

/** In the `node_modules/.cache` that is nearest to the library. */
function manifestFile(entries: Pick<LibraryEntries, "millrace">): string {
  for (let directory = dirname(fileURLToPath(entries.millrace)); ; directory = dirname(directory)) {
    const modules = directory.endsWith("/node_modules") ? directory : join(directory, "node_modules");
    if (modules === directory || (existsSync(join(modules, ".cache"))) || existsSync(join(modules, "@millrace"))) {
      const cache = join(modules, ".cache", "millrace");
      mkdirSync(cache, { recursive: true });
      return join(cache, "library.json");
    }
    if (dirname(directory) === directory) throw new Error("the library is not installed in a node_modules folder");
  }
}
