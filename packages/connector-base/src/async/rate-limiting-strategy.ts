/** A request that is about to be sent. */
export interface RequestInfo {
  /** Entries in it. */
  readonly batchSize: number;
}

/** A request that was answered. */
export interface ResultInfo extends RequestInfo {
  /** Entries that must be sent again. */
  readonly failedEntries: number;
}

/** Decides how much an {@link AsyncSink} sends. One per writer; called from its thread. Flink: RateLimitingStrategy (FLIP-242). */
export interface RateLimitingStrategy {
  registerInFlightRequest(request: RequestInfo): void;
  registerCompletedRequest(result: ResultInfo): void;
  /** Whether this request must wait until another one is complete. With none on its way, it is asked again after a while. */
  shouldBlock(request: RequestInfo): boolean;
  /** The most entries of the next request. */
  readonly maxBatchSize: number;
}
