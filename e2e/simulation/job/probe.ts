/** Told of what the functions of a job see; complains of what must never be. */
export interface Probe {
  /** A keyed function got a record or timer. */
  key(operator: string, attempt: string, subtask: number, key: string): void;
  /** A function saw this watermark. */
  watermark(operator: string, attempt: string, subtask: number, watermarkMs: number): void;
  /** An event-time timer fired, for so many records that waited for it. */
  timer(operator: string, timestampMs: number, watermarkMs: number, waited: number): void;
  /** Whether a reader has nothing to read for a while. */
  stalls(source: string, subtask: number): boolean;
  /** How much longer than usual an answer from outside takes. */
  readonly slowMs: number;
  /** A place where a function may be made to fail. @throws when it is */
  visit(place: string): void;
}
