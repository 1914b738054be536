import type { Checksum } from "../data/checksum.js";

export interface LoopOptions {
  readonly records: number;
  readonly keys: number | undefined;
  /** Paths of the input, for works that read files. */
  readonly input: readonly string[];
}

/** A work done by a plain single-threaded loop. Returns the records it processed, where that is not `options.records`. */
export type Loop = (options: LoopOptions, out: Checksum) => number | void | Promise<number | void>;

/** The windows whose end has come, in order of their ends, are taken out of `windows` and given to `emit`. */
export function emitUntil<T>(windows: Map<number, T>, watermarkMs: number, emit: (endMs: number, content: T) => void): void {
  for (const endMs of [...windows.keys()].sort((a, b) => a - b)) {
    if (endMs > watermarkMs) return;
    emit(endMs, windows.get(endMs)!);
    windows.delete(endMs);
  }
}
