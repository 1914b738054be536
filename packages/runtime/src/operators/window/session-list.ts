/** Sessions of a key, ascending and disjoint: start, end, accumulator and whether it was emitted (0 or 1) of each. */
export type Sessions = unknown[];

/** Fields per session. */
export const SESSION_WIDTH = 4;

/** Index of the first session that overlaps or touches [startMs, endMs), or -1. */
export function overlapping(sessions: Sessions, startMs: number, endMs: number): number {
  for (let at = 0; at < sessions.length; at += SESSION_WIDTH) {
    if ((sessions[at + 1] as number) >= startMs) return (sessions[at] as number) <= endMs ? at : -1;
  }
  return -1;
}

/** Inserts a session that overlaps none; returns its index. */
export function insertSession(sessions: Sessions, startMs: number, endMs: number, accumulator: unknown): number {
  let at = 0;
  while (at < sessions.length && (sessions[at] as number) < startMs) at += SESSION_WIDTH;
  sessions.splice(at, 0, startMs, endMs, accumulator, 0);
  return at;
}

/** When the first of the sessions is to be emitted, or to be dropped if it was. */
export function dueOf(sessions: Sessions, latenessMs: number): number {
  let dueMs = Number.POSITIVE_INFINITY;
  for (let at = 0; at < sessions.length; at += SESSION_WIDTH) {
    dueMs = Math.min(dueMs, (sessions[at + 1] as number) - 1 + (sessions[at + 3] === 0 ? 0 : latenessMs));
  }
  return dueMs;
}
