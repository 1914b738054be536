import { readFileSync } from "node:fs";

let version: string | undefined;

/** The version of this library as it is installed. A bundled library has no package.json beside it and says so. */
export function libraryVersion(): string {
  try {
    version ??= (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }).version;
  } catch {
    version = "unknown";
  }
  return version;
}
