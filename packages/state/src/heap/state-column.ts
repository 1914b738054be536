/** The payloads of one state by row, `undefined` where there is none. */
export interface StateColumn {
  get(row: number): unknown;
  /** Stores a payload other than `undefined`; tells whether there was none before. */
  set(row: number, payload: unknown): boolean;
  /** Removes the payload; tells whether there was one. */
  clear(row: number): boolean;
  /** A page's payloads as doubles, NaN for "none" (or a real NaN): empty when there are none, `undefined` when some are no numbers. */
  numbersOf(page: number): Float64Array | undefined;
  /** Whether a page of numbers may hold a real NaN. */
  hasNaN(page: number): boolean;
  /** Reads the first `count` of `rows` and the beginning of what they hold: brings them into the processor's cache. Returns a number that means nothing. */
  touchAll(rows: Int32Array, count: number): number;
}
