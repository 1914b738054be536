import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatEntry, type Entry } from "../check/entries.js";
import type { Input, Output } from "./ends.js";

/** A folder in which a file appears for each piece of input, whole. */
export class FilesInput implements Input {
  readonly args: readonly string[];
  readonly #directory: string;
  #files = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.args = ["--input", directory];
    mkdirSync(directory);
  }

  async write(entries: readonly Entry[]): Promise<void> {
    const name = `${String(++this.#files).padStart(6, "0")}.txt`;
    writeFileSync(join(this.#directory, `.${name}`), entries.map((entry) => `${formatEntry(entry)}\n`).join(""));
    renameSync(join(this.#directory, `.${name}`), join(this.#directory, name));
  }

  async close(): Promise<void> {}
}

/** Files that a FileSink has committed. */
export class FilesOutput implements Output {
  readonly args: readonly string[];
  readonly #directory: string;
  readonly #known = new Map<string, readonly string[]>();
  count = 0;

  /** @param name of the job's argument */
  constructor(name: string, directory: string) {
    this.#directory = directory;
    this.args = [`--${name}`, directory];
  }

  async refresh(): Promise<void> {
    if (!existsSync(this.#directory)) return;
    for (const name of readdirSync(this.#directory)) {
      if (name.startsWith(".") || this.#known.has(name)) continue;
      const lines = linesOf(join(this.#directory, name));
      this.#known.set(name, lines);
      this.count += lines.length;
    }
  }

  async readAll(): Promise<{ readonly lines: readonly string[]; readonly complaints: readonly string[] }> {
    await this.refresh();
    // What was committed must not have changed since.
    const complaints = [...this.#known].flatMap(([name, before]) => {
      const path = join(this.#directory, name);
      if (!existsSync(path)) return [`${name} was committed, and is gone`];
      return linesOf(path).join("\n") === before.join("\n") ? [] : [`${name} has changed after it was committed`];
    });
    return { lines: [...this.#known.values()].flat(), complaints };
  }

  async close(): Promise<void> {}
}

function linesOf(path: string): string[] {
  return readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
}
