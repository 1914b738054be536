import { MillraceError, type UrlLike } from "@millrace/core";

/** A file, directory or glob: an absolute or relative path, a `file:` URI, a `URL`, or a URI of another registered file system. */
export type PathLike = string | UrlLike;

const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]+:\/\//;

/**
 * Makes a path absolute and canonical (no `.`, `..`, doubled or trailing slashes).
 *
 * Relative paths are taken from the working directory of the process that builds the job. URIs of schemes other than `file:` stay as they are.
 * @throws `PATH_INVALID` for an empty path, one with a NUL character, or a `file:` URI with a remote host.
 */
export function resolvePath(path: PathLike, workingDirectory: string = process.cwd()): string {
  const text = typeof path === "string" ? path : path.href;
  if (text === "") throw invalid(text, "it is empty");
  if (text.includes("\0")) throw invalid(text, "it holds a NUL character");
  if (/^file:/i.test(text)) return normalize(fromFileUri(text));
  if (SCHEME.test(text)) return text.replace(/(?<=[^:/])\/+$/, "");
  const slashed = process.platform === "win32" ? text.replaceAll("\\", "/") : text;
  const base = process.platform === "win32" ? workingDirectory.replaceAll("\\", "/") : workingDirectory;
  return normalize(isAbsolute(slashed) ? slashed : `${base}/${slashed}`);
}

/** Adds a relative path to a directory. */
export function joinPath(directory: string, relative: string): string {
  if (relative === "") return directory;
  return directory.endsWith("/") ? directory + relative : `${directory}/${relative}`;
}

/** The last segment of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What a path begins with that has no parent: `/`, or the host or bucket of a URI. Empty for relative paths. */
export function rootOf(path: string): string {
  return /^(?:[a-zA-Z][a-zA-Z0-9+.-]+:\/\/[^/]*|\/)/.exec(path)?.[0] ?? "";
}

/** The directory a path is in; the root is its own parent. */
export function parentPath(path: string): string {
  if (path === rootOf(path)) return path;
  const end = path.lastIndexOf("/");
  if (end < 0) return path;
  return end === 0 ? "/" : path.slice(0, end);
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/") || (process.platform === "win32" && /^[a-zA-Z]:\//.test(path));
}

function fromFileUri(uri: string): string {
  // Not `new URL`: it would take a glob's `?` for the start of a query.
  const rest = uri.slice("file:".length);
  const withoutHost = rest.startsWith("//") ? rest.slice(2).replace(/^localhost(?=\/)/, "") : rest;
  if (!withoutHost.startsWith("/")) throw invalid(uri, "a file: URI needs an absolute path and no remote host");
  try {
    const decoded = decodeURIComponent(withoutHost);
    return /^\/[a-zA-Z]:\//.test(decoded) && process.platform === "win32" ? decoded.slice(1) : decoded;
  } catch {
    throw invalid(uri, "its percent-encoding is broken");
  }
}

function normalize(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") segments.pop();
    else segments.push(segment);
  }
  return (path.startsWith("/") ? "/" : "") + segments.join("/");
}

function invalid(path: string, why: string): MillraceError {
  return new MillraceError({ code: "PATH_INVALID", message: `"${path}" is not a usable path: ${why}` });
}
