import { readFile, realpath, stat } from "node:fs/promises";
import { extname, join, resolve, sep } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
  ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".ttf": "font/ttf", ".woff": "font/woff", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
};

export interface StaticFile {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** The files below one directory, such as those of a dashboard. Nothing outside of it can be read: not by `..`, not by a link. */
export class StaticFiles {
  readonly #root: string;

  constructor(directory: string) {
    this.#root = resolve(directory);
  }

  /** `path` as in the URL; `/` is `index.html`. */
  async read(path: string): Promise<StaticFile | undefined> {
    let name: string;
    try {
      name = decodeURIComponent(path === "/" ? "/index.html" : path);
    } catch {
      return undefined;
    }
    if (name.includes("\0") || name.split(/[/\\]/).some((part) => part.startsWith("."))) return undefined;
    try {
      const file = await realpath(join(this.#root, name));
      if (!file.startsWith((await realpath(this.#root)) + sep) || !(await stat(file)).isFile()) return undefined;
      return { contentType: types[extname(file)] ?? "application/octet-stream", bytes: await readFile(file) };
    } catch {
      return undefined;
    }
  }
}
