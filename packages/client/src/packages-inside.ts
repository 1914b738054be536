import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { packageOf, refuseNative, type InstalledPackage } from "./package-of-file.js";

const COMMONJS = "millrace-commonjs";

/** How a job's imports of packages are treated; those of the library are somebody else's. */
export interface PackageImports {
  /** `undefined`: as esbuild would. */
  resolve(build: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult | undefined>;
  readonly plugins: readonly Plugin[];
}

/**
 * Packages become part of the bundle, so that it runs where they are not installed. What they are made of stays as Node sees it: the same files
 * (Node's export conditions), CommonJS seen from the job's modules as Node shows it, `__dirname` and `__filename` of the file they stand in.
 *
 * @param except names of packages that stay outside
 * @param outside what becomes of those
 */
export function packagesInside(except: ReadonlySet<string>, outside: (path: string, found: InstalledPackage) => OnResolveResult): PackageImports {
  return {
    async resolve(build, args) {
      const { path, importer, resolveDir, kind } = args;
      const resolved = await build.resolve(path, { importer, resolveDir, kind, pluginData: "resolving" });
      // esbuild knows when that is an error: not around a `require` that the package has wrapped in a `try`.
      if (resolved.errors.length > 0 || resolved.namespace !== "file") return undefined;
      const found = await packageOf(resolved.path);
      if (found === undefined) return undefined;
      if (except.has(found.name)) return outside(resolved.path, found);
      const by = await packageOf(importer);
      // The package that would use it can do without, and finds that it is not there.
      if (found.isNative && by?.optional.has(found.name) === true) return { path, external: true };
      refuseNative(found);
      const fromModule = (kind === "import-statement" || kind === "dynamic-import") && by?.directory !== found.directory;
      if (fromModule && isCommonJs(resolved.path, found.isModule)) return { path: `${resolved.path}.mjs`, namespace: COMMONJS, pluginData: resolved.path };
      return { path: resolved.path, sideEffects: resolved.sideEffects };
    },
    plugins: [commonJsAsNodeShowsIt, nativeFiles, filesOfTheirOwn],
  };
}

function isCommonJs(path: string, isModule: boolean): boolean {
  return path.endsWith(".cjs") || (path.endsWith(".js") && !isModule);
}

/** A module between the job and a CommonJS file: what its name ends with makes esbuild hand over `module.exports` as the default, as Node does. */
const commonJsAsNodeShowsIt: Plugin = {
  name: COMMONJS,
  setup(build) {
    build.onResolve({ filter: /.*/, namespace: COMMONJS }, ({ path }) => ({ path, namespace: "file" }));
    build.onLoad({ filter: /.*/, namespace: COMMONJS }, ({ pluginData }) => {
      const file = JSON.stringify(pluginData);
      return { contents: `export * from ${file};\nexport { default } from ${file};\n`, loader: "js", resolveDir: dirname(pluginData as string) };
    });
  },
};

const nativeFiles: Plugin = {
  name: "native-files",
  setup(build) {
    build.onLoad({ filter: /\.node$/ }, async ({ path }) => refuseNative({ ...(await packageOf(path))!, isNative: true }));
  },
};

/** CommonJS files that ask where they are get the answer of the machine they were bundled on, as `import.meta.url` does. */
const filesOfTheirOwn: Plugin = {
  name: "files-of-their-own",
  setup(build) {
    build.onLoad({ filter: /\.c?js$/, namespace: "file" }, async ({ path }) => {
      const contents = await readFile(path, "utf8");
      if (!/\b__(dir|file)name\b/.test(contents) || /\b(?:var|let|const)\s+__(dir|file)name\b/.test(contents) || contents.includes("import.meta.")) return undefined;
      return { contents: `var __filename = ${JSON.stringify(path)}, __dirname = ${JSON.stringify(dirname(path))};${contents}`, loader: "js", resolveDir: dirname(path) };
    });
  },
};
