import { builtinModules, createRequire } from "node:module";
import type { SourceMapPayload } from "node:module";
import { dirname, join, resolve as resolvePath } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFailure, Message, OnResolveResult, Plugin } from "esbuild";
import { MillraceError, isMillraceError } from "@millrace/core";
import type { LibraryEntries } from "./library-bundle.js";
import { keepTemporalDeadZone } from "./keep-temporal-dead-zone.js";
import { LibraryExports } from "./library-exports.js";
import { packageOf, type InstalledPackage } from "./package-of-file.js";
import { sourceUrls } from "./source-urls.js";
import { packagesInside, type PackageImports } from "./packages-inside.js";

export interface Bundle {
  readonly contents: string;
  /** Absolute paths of all files that went into it. */
  readonly inputs: readonly string[];
  /** It imports more of the library than `millrace`, itself or through a package. */
  readonly needsPackages: boolean;
  /** Entry points of the library that it imports by the URL of this installation. */
  readonly installed: Readonly<Record<string, string>>;
}

/** Which packages become part of a bundle: all that the job imports, but for these. */
export interface BundledPackages {
  readonly except: readonly string[];
}

/**
 * The bundle exports `job`, the namespace of the user's module, and `StreamExecutionEnvironment`, from the library that module uses,
 * for jobs whose default export takes the environment.
 * @param from where it imports `millrace` from, if not from this installation's package, and what that exports, if it is known
 */
export async function bundleWithEsbuild(source: string, outputDirectory: string, from: Partial<Pick<LibraryEntries, "millrace" | "exports">>, packages?: BundledPackages): Promise<Bundle> {
  // It is CommonJS: an import would analyse it for its names first.
  const { build } = createRequire(import.meta.url)("esbuild") as typeof import("esbuild");
  const directory = dirname(source);
  const found: Found = { needsPackages: false, installed: {} };
  const imports = packages === undefined ? packagesOutside(found) : packagesInside(new Set(packages.except), leaveOutside(found));
  const library = new LibraryExports();
  try {
    const result = await build({
      stdin: {
        contents: `import * as job from ${JSON.stringify(source)};\nimport { StreamExecutionEnvironment } from "millrace";\nexport { job, StreamExecutionEnvironment };\n`,
        resolveDir: directory, sourcefile: "millrace-job-entry.mjs", loader: "js",
      },
      outfile: join(outputDirectory, "job.mjs"), absWorkingDir: directory,
      bundle: true, format: "esm", platform: "node", target: "node20", conditions: [], sourcemap: "external", charset: "utf8",
      write: false, metafile: true, logLevel: "silent", plugins: [packageImports(from, library, found, imports), library.plugin, ...imports.plugins, sourceUrls()],
    });
    const inputs = Object.keys(result.metafile.inputs)
      .filter((input) => input !== "millrace-job-entry.mjs" && !/^millrace-\w+:/.test(input)).map((input) => resolvePath(directory, input));
    const [map, code] = ["job.mjs.map", "job.mjs"].map((name) => result.outputFiles.find(({ path }) => path.endsWith(name))!.text);
    const contents = `${requireForPackages(code!)}${keepTemporalDeadZone(code!, JSON.parse(map!) as SourceMapPayload)}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map!).toString("base64")}\n`;
    return { contents, inputs, needsPackages: found.needsPackages, installed: found.installed };
  } catch (error) {
    const first = (error as Partial<BuildFailure>).errors?.[0];
    if (first === undefined) throw error;
    if (isMillraceError(first.detail)) throw first.detail;
    const file = first.location === null ? undefined : resolvePath(directory, first.location.file);
    throw (await library.explain(first, file)) ?? compileError(first, (error as BuildFailure).errors.length, file);
  }
}

function compileError(first: Message, count: number, file: string | undefined): MillraceError {
  const { location, text } = first;
  const at = location === null ? "" : `${file}:${location.line}:${location.column + 1}: `;
  const more = count > 1 ? ` (and ${count - 1} more error${count > 2 ? "s" : ""})` : "";
  const source = location === null ? "" : `\n  ${location.lineText}\n  ${" ".repeat(location.column)}^`;
  return new MillraceError({
    code: "JOB_DOES_NOT_COMPILE", message: `${at}${text}${more}${source}`,
    ...(location === null ? {} : { location: { file: file!, line: location.line, column: location.column + 1 } }),
  });
}

interface Found {
  needsPackages: boolean;
  installed: Record<string, string>;
}

/** Packages may `require` what is built into Node. On the first line, which has no other code of a file, so that the source map stays right. */
function requireForPackages(code: string): string {
  return code.includes("__require") ? 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url); ' : "";
}

/** Millrace itself is taken from the installation that runs the job, whatever happens to packages. */
function packageImports({ millrace, exports }: Partial<Pick<LibraryEntries, "millrace" | "exports">>, library: LibraryExports, found: Found, packages: PackageImports): Plugin {
  const builtins = new Set(builtinModules);
  return {
    name: "package-imports",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async (args): Promise<OnResolveResult | undefined> => {
        const { path, kind, pluginData } = args;
        if (pluginData === "resolving" || kind === "entry-point" || /^[a-z]:[\\/]/i.test(path)) return undefined;
        if (path.startsWith("node:") || builtins.has(path)) return { path, external: true };
        if (/^(file|data|https?):/.test(path)) return { path, external: true };
        if (path.startsWith("@millrace/")) found.needsPackages = true;
        const own = path === "millrace" || path.startsWith("@millrace/") ? ownInstallation(path) : undefined;
        if (own !== undefined) found.installed[path] = own;
        const url = path === "millrace" ? (millrace ?? own) : own;
        if (url !== undefined) return own === undefined || kind !== "import-statement" ? { path: url, external: true } : library.module(path, own, url, path === "millrace" ? exports : undefined);
        return packages.resolve(build, args);
      });
    },
  };
}

/** Leaves every package out of the bundle, by the absolute URL it resolves to from the file that imports it. */
function packagesOutside(found: Found): PackageImports {
  return {
    async resolve(build, { path, importer, resolveDir, kind }) {
      const resolved = await build.resolve(path, { importer, resolveDir, kind, pluginData: "resolving" });
      if (resolved.errors.length > 0) return { errors: resolved.errors, warnings: resolved.warnings };
      // TypeScript from a package (a workspace, a path alias) has to be bundled: Node could not load it.
      if (/\.[cm]?tsx?$/.test(resolved.path)) return { path: resolved.path };
      return leaveOutside(found)(resolved.path, await packageOf(resolved.path));
    },
    plugins: [],
  };
}

function leaveOutside(found: Found): (path: string, by: InstalledPackage | undefined) => OnResolveResult {
  return (path, by) => {
    if (by?.usesLibrary === true) found.needsPackages = true;
    return { path: pathToFileURL(path).href, external: true };
  };
}

function ownInstallation(specifier: string): string | undefined {
  try {
    return import.meta.resolve(specifier);
  } catch {
    return undefined;
  }
}
