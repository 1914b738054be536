import { isMillraceError, MillraceError, type Env } from "@millrace/core";

type Fs = Env["fs"];
const DIGITS = 16;
const name = (token: number): string => String(token).padStart(DIGITS, "0");

/**
 * The files of an election on a shared directory. All are written whole or not at all.
 *
 * - `claims/<token>`: created exclusively; whoever creates the newest is the only one who may lead under that token.
 * - `lease-<token>`: rewritten by the token's owner to show that it lives; holds the leader's addresses.
 * - `state-<token>`: everything the leader of that token keeps, starting with a copy of what it found.
 */
export class FileLayout {
  readonly #fs: Fs;
  readonly directory: string;

  constructor(fs: Fs, directory: string) {
    this.#fs = fs;
    this.directory = directory;
  }

  claimPath(token: number): string {
    return `${this.directory}/claims/${name(token)}`;
  }

  leasePath(token: number): string {
    return `${this.directory}/lease-${name(token)}`;
  }

  statePath(token: number): string {
    return `${this.directory}/state-${name(token)}`;
  }

  /** All claims there are, ascending. */
  async claims(): Promise<number[]> {
    try {
      return tokensIn(await this.#fs.list(`${this.directory}/claims`), "");
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async highestClaim(): Promise<number> {
    return (await this.claims()).at(-1) ?? 0;
  }

  /** The text of a file, or `undefined` when there is none. */
  async readText(path: string): Promise<string | undefined> {
    try {
      return new TextDecoder().decode(await this.#fs.readFile(path));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async writeText(path: string, text: string): Promise<void> {
    await this.#fs.writeAtomic(path, new TextEncoder().encode(text));
  }

  async createExclusive(path: string, text: string): Promise<boolean> {
    return this.#fs.createExclusive(path, new TextEncoder().encode(text));
  }

  /** Deletes what leaders before `token` left. Only its leader may call this, once `state-<token>` is written. */
  async deleteBefore(token: number): Promise<void> {
    const entries = await this.#fs.list(this.directory);
    for (const prefix of ["state-", "lease-"]) {
      for (const old of tokensIn(entries, prefix)) if (old < token) await this.#fs.delete(`${this.directory}/${prefix}${name(old)}`);
    }
    for (const old of await this.claims()) if (old < token) await this.#fs.delete(this.claimPath(old));
  }
}

function tokensIn(entries: readonly { readonly path: string }[], prefix: string): number[] {
  return entries
    .map(({ path }) => path.slice(path.lastIndexOf("/") + 1))
    .filter((file) => file.startsWith(prefix) && /^\d+$/.test(file.slice(prefix.length)))
    .map((file) => Number(file.slice(prefix.length)))
    .sort((a, b) => a - b);
}

function isMissing(error: unknown): boolean {
  return isMillraceError(error) && error.code === "FILE_NOT_FOUND";
}

/** A file of the election that cannot be what it claims to be. */
export function stateCorrupt(path: string, what: string, cause?: unknown): MillraceError {
  return new MillraceError({
    code: "HA_STATE_CORRUPT",
    message: `${path}: ${what}`,
    hint: "restore the directory from a backup, or delete it to start without the cluster's memory of its jobs",
    location: { file: path },
    cause,
  });
}
