/** Changes a rate by what happened at it. Flink: ScalingStrategy. */
export interface ScalingStrategy {
  /** The rate after a success at `currentRate`. */
  scaleUp(currentRate: number): number;
  /** The rate after a failure at `currentRate`. */
  scaleDown(currentRate: number): number;
}

/**
 * Additive increase, multiplicative decrease, as in TCP: the rate grows by `increaseRate` with each success up to `rateThreshold`, and is multiplied by
 * `decreaseFactor` (default 0.5) with each failure, down to 1. Flink: AIMDScalingStrategy.
 */
export class AimdScalingStrategy implements ScalingStrategy {
  readonly #rateThreshold: number;
  readonly #increaseRate: number;
  readonly #decreaseFactor: number;

  constructor({ rateThreshold, increaseRate = 10, decreaseFactor = 0.5 }: { readonly rateThreshold: number; readonly increaseRate?: number; readonly decreaseFactor?: number }) {
    this.#rateThreshold = rateThreshold;
    this.#increaseRate = increaseRate;
    this.#decreaseFactor = decreaseFactor;
  }

  scaleUp(currentRate: number): number {
    return Math.min(currentRate + this.#increaseRate, this.#rateThreshold);
  }

  scaleDown(currentRate: number): number {
    return Math.max(1, Math.min(currentRate - 1, Math.round(currentRate * this.#decreaseFactor)));
  }
}
