import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { taskOfUrl } from "@millrace/runtime";

/** A frame as V8 tells it: lines and columns count from 0. */
export interface RawFrame {
  readonly functionName: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/**
 * A frame as people read it: the function, and where it is in the sources, as far as source maps are there. The frame by which a slot enters a task has the
 * task's name.
 */
export function frameText({ functionName, url, line, column }: RawFrame, file: "path" | "name"): string {
  const task = taskOfUrl(url);
  if (task !== undefined) return `task ${task.label}`;
  const at = originOf(url, line, column);
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (at.path === "") return name;
  return `${name} (${file === "name" ? basename(at.path) : at.path}:${at.line + 1}${file === "name" ? "" : `:${at.column + 1}`})`;
}

/** Where a function is in the sources, as far as source maps are there; as V8 tells it, if not. `path` is one of this machine, or an address. */
export interface Position {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

const MAX_MAPS = 50;
const maps = new Map<string, SourceMap | undefined>();

export function originOf(url: string, line: number, column: number): Position {
  if (!url.startsWith("file:")) return { path: url, line, column };
  const path = fileURLToPath(url);
  const entry = mapOf(path)?.findEntry(line, column);
  if (entry === undefined || !("originalSource" in entry) || entry.originalSource === undefined) return { path, line, column };
  const source = entry.originalSource;
  return { path: source.startsWith("file:") ? fileURLToPath(source) : resolve(dirname(path), source), line: entry.originalLine, column: entry.originalColumn };
}

function mapOf(path: string): SourceMap | undefined {
  if (maps.has(path)) return maps.get(path);
  if (maps.size >= MAX_MAPS) maps.clear();
  let map: SourceMap | undefined;
  try {
    const text = readFileSync(path, "utf8");
    const at = text.lastIndexOf("//# sourceMappingURL=");
    const reference = at < 0 ? undefined : text.slice(at + 21).split("\n", 1)[0]!.trim();
    if (reference !== undefined) {
      const json = reference.startsWith("data:") ? Buffer.from(reference.slice(reference.indexOf(",") + 1), "base64").toString("utf8") : readFileSync(resolve(dirname(path), reference), "utf8");
      map = new SourceMap(JSON.parse(json) as SourceMapPayload);
    }
  } catch {
    // Without a map the positions are those of the file itself.
  }
  maps.set(path, map);
  return map;
}
