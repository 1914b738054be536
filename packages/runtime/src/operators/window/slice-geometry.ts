import { windowStart, type SlicedWindows } from "@millrace/core";

/**
 * Where the slices and windows of an aligned assigner lie. Slices and windows are named by their end; a slice is the longest interval that lies in or
 * outside every window as a whole, so a window is a run of slices.
 */
export class SliceGeometry {
  readonly kind: SlicedWindows["kind"];
  readonly sizeMs: number;
  /** Distance of two window ends. */
  readonly slideMs: number;
  readonly sliceMs: number;
  readonly offsetMs: number;

  constructor(windows: SlicedWindows) {
    this.kind = windows.kind;
    this.sizeMs = windows.sizeMs;
    this.slideMs = windows.slideMs;
    this.sliceMs = gcd(windows.sizeMs, windows.slideMs);
    this.offsetMs = windows.offsetMs;
  }

  /** End of the slice that holds a time stamp. */
  sliceEnd(timestampMs: number): number {
    return windowStart(timestampMs, this.offsetMs, this.sliceMs) + this.sliceMs;
  }

  /** Start of the window that ends at `windowEnd`. */
  windowStart(windowEnd: number): number {
    return this.kind === "cumulating" ? windowStart(windowEnd - 1, this.offsetMs, this.sizeMs) : windowEnd - this.sizeMs;
  }

  /** End of the first window that contains a slice; greater than {@link lastWindowEnd} when none does. */
  firstWindowEnd(sliceEnd: number): number {
    return this.kind === "sliding" ? this.#lastEndUpTo(sliceEnd - 1) + this.slideMs : sliceEnd;
  }

  /** End of the last window that contains a slice. */
  lastWindowEnd(sliceEnd: number): number {
    switch (this.kind) {
      case "tumbling":
        return sliceEnd;
      case "sliding":
        return this.#lastEndUpTo(sliceEnd - this.sliceMs + this.sizeMs);
      case "cumulating":
        return windowStart(sliceEnd - 1, this.offsetMs, this.sizeMs) + this.sizeMs;
    }
  }

  /** End of the last window that is complete at a watermark; `-Infinity` before the first watermark. */
  lastCompleteEnd(watermarkMs: number): number {
    return watermarkMs === Number.MIN_SAFE_INTEGER ? Number.NEGATIVE_INFINITY : this.#lastEndUpTo(watermarkMs + 1);
  }

  /** The largest window end that is at most `timeMs`. */
  #lastEndUpTo(timeMs: number): number {
    // A window start is congruent to the offset modulo the slide, and an end to that plus the size.
    return windowStart(timeMs, this.offsetMs + (this.kind === "sliding" ? this.sizeMs % this.slideMs : 0), this.slideMs);
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
