import { MillraceError } from "@millrace/core";
import type { Random } from "./random.js";

/** What a disk may do wrong, for the processes of a host, from now on. */
export interface DiskTrouble {
  /** Writing fails with `DISK_FULL`, after a part of it. */
  readonly full?: boolean;
  /** Operations fail with `FILE_IO_FAILED`: this share of them. */
  readonly failing?: number;
  /** Changes are made, and then reported as failed: this share of them. */
  readonly lostReplies?: number;
  /** How many times as long everything takes. */
  readonly slowness?: number;
  /** What fails, or is said to, are paths that match this; all without it. */
  readonly only?: RegExp;
}

/** The troubles of all hosts' disks, and how often each has struck. */
export class DiskFaults {
  /** Struck since the beginning, by kind. */
  readonly struck = { full: 0, failing: 0, lostReplies: 0, slow: 0, hung: 0 };
  readonly #random: Random;
  readonly #troubles = new Map<string, DiskTrouble>();
  readonly #hangs = new Map<string, { readonly suffix: string; readonly durationMs: number }>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Replaces the troubles of a host; without any, its disk is well. */
  set(host: string, trouble: DiskTrouble | undefined): void {
    if (trouble === undefined) this.#troubles.delete(host);
    else this.#troubles.set(host, trouble);
  }

  /** The next operation of a host's processes on a path that ends with `suffix` takes so much longer, while others go on. */
  hang(host: string, suffix: string, durationMs: number): void {
    this.#hangs.set(host, { suffix, durationMs });
  }

  heal(): void {
    this.#troubles.clear();
    this.#hangs.clear();
  }

  /** How much longer an operation takes that begins now, which is asked for once. */
  hangUs(host: string, path: string): number {
    const hang = this.#hangs.get(host);
    if (hang === undefined || !path.endsWith(hang.suffix)) return 0;
    this.#hangs.delete(host);
    this.struck.hung++;
    return hang.durationMs * 1000;
  }

  /** How many times as long an operation takes. */
  slowness(host: string): number {
    const slowness = this.#troubles.get(host)?.slowness ?? 1;
    if (slowness > 1) this.struck.slow++;
    return slowness;
  }

  /** Why an operation fails before it has changed anything. */
  before(host: string, doing: string, path: string, writes: boolean): MillraceError | undefined {
    const trouble = this.#troubleWith(host, path);
    if (trouble === undefined) return undefined;
    if (writes && trouble.full === true) {
      this.struck.full++;
      return new MillraceError({ code: "DISK_FULL", message: `cannot ${doing} ${path}: the disk is full`, recovery: "restart", location: { file: path } });
    }
    if (!this.#random.chance(trouble.failing ?? 0)) return undefined;
    this.struck.failing++;
    return failed(doing, path);
  }

  /** Why an operation is said to have failed that has done what it should. */
  after(host: string, doing: string, path: string): MillraceError | undefined {
    if (!this.#random.chance(this.#troubleWith(host, path)?.lostReplies ?? 0)) return undefined;
    this.struck.lostReplies++;
    return failed(doing, path);
  }

  #troubleWith(host: string, path: string): DiskTrouble | undefined {
    const trouble = this.#troubles.get(host);
    return trouble?.only?.test(path) === false ? undefined : trouble;
  }
}

function failed(doing: string, path: string): MillraceError {
  return new MillraceError({ code: "FILE_IO_FAILED", message: `cannot ${doing} ${path}: input/output error`, recovery: "restart", location: { file: path } });
}
