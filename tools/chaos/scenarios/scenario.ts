import { fileURLToPath } from "node:url";
import type { Entry } from "../check/entries.js";
import type { Input, Output } from "../ends/ends.js";
import type { ServiceName, World } from "../world/world.js";

/** A job, with what it reads and writes and how its results are judged. Each is a file of this folder, and a line in `all-scenarios.ts`. */
export interface Scenario {
  readonly name: string;
  /** For `--help`. */
  readonly what: string;
  readonly needs: readonly ServiceName[];
  /** Prepares input and outputs in a world that stands. */
  open(world: World): Promise<OpenScenario>;
}

export interface OpenScenario {
  /** Path of the job's module, and its arguments. */
  readonly module: string;
  readonly args: readonly string[];
  readonly input: Input;
  /** Has one result for each entry as soon as all is committed: how far the job is can be seen there. */
  readonly progress: Output;
  /** After the job has ended: what is wrong with the output. */
  check(entries: readonly Entry[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

export function jobModule(name: string): string {
  return fileURLToPath(new URL(`../jobs/${name}.ts`, import.meta.url));
}
