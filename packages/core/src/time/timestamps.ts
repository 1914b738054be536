/** Event-time stamps and processing-time readings are integer milliseconds since the epoch, as plain numbers. */

/** The time stamp of a record that has none. Sorts before every real one. */
export const NO_TIMESTAMP: number = Number.MIN_SAFE_INTEGER;
/** The watermark before the first one. */
export const MIN_WATERMARK: number = Number.MIN_SAFE_INTEGER;
/** The watermark that says no more events will come; fires every event-time timer. */
export const MAX_WATERMARK: number = Number.MAX_SAFE_INTEGER;
