import { MIN_WATERMARK } from "@millrace/core";

interface Part {
  watermarkMs: number;
  idle: boolean;
}

/**
 * Combines partial watermarks (inputs of an operator, splits of a source): the minimum over those that are not idle; the maximum over all of them once
 * all are idle, so that the result does not depend on which became idle first. Flink: CombinedWatermarkStatus.
 */
export class CombinedWatermark {
  readonly #parts = new Map<string | number, Part>();
  /** The same ones, to go through for every watermark. */
  #list: readonly Part[] = [];
  #combinedMs = MIN_WATERMARK;
  #idle = false;

  get watermarkMs(): number {
    return this.#combinedMs;
  }

  /** True when there are parts and all of them are idle. */
  get idle(): boolean {
    return this.#idle;
  }

  add(part: string | number, watermarkMs: number = MIN_WATERMARK): void {
    this.#parts.set(part, { watermarkMs, idle: false });
    this.#list = [...this.#parts.values()];
    this.#idle = false;
  }

  /** Takes a part out. @returns whether the combined watermark rose. */
  remove(part: string | number): boolean {
    if (!this.#parts.delete(part)) return false;
    this.#list = [...this.#parts.values()];
    return this.#update();
  }

  has(part: string | number): boolean {
    return this.#parts.has(part);
  }

  /** @returns whether the combined watermark rose. A lower value than before has no effect; any value makes the part active; parts that are gone are ignored. */
  setWatermark(part: string | number, watermarkMs: number): boolean {
    const found = this.#parts.get(part);
    if (found === undefined) return false;
    found.idle = false;
    if (watermarkMs > found.watermarkMs) found.watermarkMs = watermarkMs;
    return this.#update();
  }

  /** @returns whether the combined watermark rose. */
  setIdle(part: string | number, idle: boolean): boolean {
    const found = this.#parts.get(part);
    if (found === undefined) return false;
    found.idle = idle;
    return this.#update();
  }

  partWatermarkMs(part: string | number): number {
    return this.#parts.get(part)?.watermarkMs ?? MIN_WATERMARK;
  }

  parts(): Iterable<string | number> {
    return this.#parts.keys();
  }

  #update(): boolean {
    let minimum = Number.POSITIVE_INFINITY;
    let maximum = MIN_WATERMARK;
    let idle = this.#list.length > 0;
    for (const part of this.#list) {
      if (part.watermarkMs > maximum) maximum = part.watermarkMs;
      if (part.idle) continue;
      idle = false;
      if (part.watermarkMs < minimum) minimum = part.watermarkMs;
    }
    this.#idle = idle;
    const combined = idle ? maximum : minimum;
    if (combined === Number.POSITIVE_INFINITY || combined <= this.#combinedMs) return false;
    this.#combinedMs = combined;
    return true;
  }
}
