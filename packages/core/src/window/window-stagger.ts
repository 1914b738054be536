import { windowStart } from "./window.js";

/**
 * How far the windows of one subtask are shifted, so that not all subtasks fire at once.
 *
 * `ALIGNED`: not at all. `RANDOM`: by a random part of the window size. `NATURAL`: so that the first window starts when the first record arrives.
 * Flink: WindowStagger.
 */
export type WindowStagger = "ALIGNED" | "RANDOM" | "NATURAL";

/** The shift of a subtask whose first record arrives at processing time `nowMs`; `random` is in [0, 1). */
export function staggerOffsetMs(stagger: WindowStagger, sizeMs: number, nowMs: number, random: () => number): number {
  switch (stagger) {
    case "ALIGNED":
      return 0;
    case "RANDOM":
      return Math.floor(random() * sizeMs);
    case "NATURAL":
      return nowMs - windowStart(nowMs, 0, sizeMs);
  }
}
