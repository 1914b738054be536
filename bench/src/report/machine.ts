import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { repository } from "../contestants/bench-files.js";
import { cores } from "../contestants/run-process.js";

/** What the figures were made on. */
export function machine(): Readonly<Record<string, string>> {
  const { version } = JSON.parse(readFileSync(join(repository, "packages/millrace/package.json"), "utf8")) as { version: string };
  return {
    processor: `${cpus()[0]?.model.trim() ?? "unknown"}, ${cpus().length} cores${cores === "" ? ", not pinned" : `, pinned to ${cores}`}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GB`,
    system: `${type()} ${release()}`,
    node: process.version,
    millrace: version,
  };
}
