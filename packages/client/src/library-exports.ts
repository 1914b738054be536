import type { Message, Plugin } from "esbuild";
import { MillraceError, didYouMean } from "@millrace/core";

const NAMESPACE = "millrace-exports";

/**
 * Makes the imports of the library, which stays outside of the bundle, checkable: each of its entry points is a module in the bundle that names
 * what the real one exports and passes it on, so that esbuild refuses a name that does not exist and says where it stands.
 */
export class LibraryExports {
  readonly #byUrl = new Map<string, { readonly specifier: string; readonly names: Promise<readonly string[]> }>();

  /**
   * The module that stands for an entry point of the library.
   * @param installed URL to read the names from
   * @param url where the bundle imports it from
   * @param known its names, where they are known
   */
  module(specifier: string, installed: string, url: string, known: readonly string[] | undefined): { readonly path: string; readonly namespace: string } {
    if (!this.#byUrl.has(url)) this.#byUrl.set(url, { specifier, names: known === undefined ? exportedNames(installed) : Promise.resolve(known) });
    return { path: url, namespace: NAMESPACE };
  }

  readonly plugin: Plugin = {
    name: NAMESPACE,
    setup: (build) => {
      build.onResolve({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({ path, external: true }));
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ path }) => ({
        contents: `export { ${(await this.#byUrl.get(path)!.names).join(", ")} } from ${JSON.stringify(path)};\n`, loader: "js",
      }));
    },
  };

  static isInput(input: string): boolean {
    return input.startsWith(`${NAMESPACE}:`);
  }

  /** esbuild's complaint about a name that the library does not export, as a user of the library reads it; `undefined` for any other complaint. */
  async explain(message: Message, file: string | undefined): Promise<MillraceError | undefined> {
    const [, module, name] = /^No matching export in "(.*)" for import "(.*)"$/.exec(message.text) ?? [];
    if (module === undefined || !LibraryExports.isInput(module)) return undefined;
    const entry = this.#byUrl.get(module.slice(NAMESPACE.length + 1));
    if (entry === undefined) return undefined;
    const { location } = message;
    const at = location === null ? "" : `${file}:${location.line}:${location.column + 1}: `;
    const suggestion = didYouMean(name!, await entry.names);
    return new MillraceError({
      code: "JOB_IMPORT_UNKNOWN", message: `${at}"${entry.specifier}" does not export "${name!}"`,
      ...(suggestion === "" ? {} : { hint: suggestion }),
      ...(location === null ? {} : { location: { file: file!, line: location.line, column: location.column + 1 } }),
    });
  }
}

/** The package is loaded for it: that is faster than to analyse its files, and it is never code of the job. */
async function exportedNames(url: string): Promise<readonly string[]> {
  return Object.keys((await import(url)) as object);
}
