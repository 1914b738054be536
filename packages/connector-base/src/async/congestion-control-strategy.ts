import type { RateLimitingStrategy, RequestInfo, ResultInfo } from "./rate-limiting-strategy.js";
import type { ScalingStrategy } from "./scaling-strategy.js";

/** How a {@link CongestionControlStrategy} begins, and what bounds it. */
export interface CongestionControlOptions {
  readonly maxInFlightRequests: number;
  /** Entries that may be on their way at first. */
  readonly initialMaxInFlightEntries: number;
  readonly scalingStrategy: ScalingStrategy;
}

/** Limits the entries on their way by how the last requests went: more after each success, fewer after each failure. Flink: CongestionControlRateLimitingStrategy. */
export class CongestionControlStrategy implements RateLimitingStrategy {
  readonly #maxInFlightRequests: number;
  readonly #scaling: ScalingStrategy;
  #maxInFlightEntries: number;
  #requests: number = 0;
  #entries: number = 0;

  constructor({ maxInFlightRequests, initialMaxInFlightEntries, scalingStrategy }: CongestionControlOptions) {
    this.#maxInFlightRequests = maxInFlightRequests;
    this.#maxInFlightEntries = initialMaxInFlightEntries;
    this.#scaling = scalingStrategy;
  }

  get maxBatchSize(): number {
    return this.#maxInFlightEntries;
  }

  shouldBlock({ batchSize }: RequestInfo): boolean {
    return this.#requests >= this.#maxInFlightRequests || this.#entries + batchSize > this.#maxInFlightEntries;
  }

  registerInFlightRequest({ batchSize }: RequestInfo): void {
    this.#requests++;
    this.#entries += batchSize;
  }

  registerCompletedRequest({ batchSize, failedEntries }: ResultInfo): void {
    this.#requests--;
    this.#entries -= batchSize;
    this.#maxInFlightEntries = failedEntries > 0 ? this.#scaling.scaleDown(this.#maxInFlightEntries) : this.#scaling.scaleUp(this.#maxInFlightEntries);
  }
}
