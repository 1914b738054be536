import { readFile } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { pathToFileURL } from "node:url";
import type { Loader, Plugin } from "esbuild";

/** Inside the bundle `import.meta.url`, `.filename` and `.dirname` still mean the source file. */
export function sourceUrls(): Plugin {
  return {
    name: "source-urls",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, async ({ path }) => {
        const contents = await readFile(path, "utf8");
        if (!contents.includes("import.meta.")) return undefined;
        const values: Readonly<Record<string, string>> = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) };
        return {
          contents: contents.replace(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, name: string) => JSON.stringify(values[name])),
          loader: (extname(path).replace(/^\.[cm]?/, "") || "js") as Loader, resolveDir: dirname(path),
        };
      });
    },
  };
}
