import { fold, foldLong, HASH_START } from "../data/checksum.js";
import { reading, READING_DISORDER_MS } from "../data/records.js";
import type { Loop } from "./loop.js";

const GAP_MS = 3000;

interface Session {
  start: number;
  end: number;
  count: number;
  sum: number;
}

/** A few open sessions a key; they are merged as records come, and all keys are looked through once in a gap of event time. */
export const run: Loop = ({ records, keys = 100_000 }, out) => {
  const open: Session[][] = Array.from({ length: keys }, () => []);
  const emitUntil = (watermarkMs: number): void => {
    for (let key = 0; key < keys; key++) {
      const sessions = open[key]!;
      if (sessions.length === 0) continue;
      for (const s of sessions) {
        if (s.end <= watermarkMs) out.add(foldLong(foldLong(foldLong(foldLong(fold(HASH_START, key), s.start), s.end), s.count), s.sum));
      }
      open[key] = sessions.filter((s) => s.end > watermarkMs);
    }
  };
  let newestMs = 0;
  let nextMs = GAP_MS;
  for (let i = 0; i < records; i++) {
    const { key, time, value } = reading(i, keys, 100, 0);
    let merged: Session = { start: time, end: time + GAP_MS, count: 1, sum: value };
    const sessions = open[key]!;
    for (let s = sessions.length - 1; s >= 0; s--) {
      const other = sessions[s]!;
      if (other.start > merged.end || merged.start > other.end) continue;
      other.start = Math.min(other.start, merged.start);
      other.end = Math.max(other.end, merged.end);
      other.count += merged.count;
      other.sum += merged.sum;
      merged = other;
      sessions.splice(s, 1);
    }
    sessions.push(merged);
    if (time > newestMs) newestMs = time;
    if (newestMs - READING_DISORDER_MS - 1 >= nextMs) {
      emitUntil(newestMs - READING_DISORDER_MS - 1);
      nextMs = newestMs - READING_DISORDER_MS - 1 + GAP_MS;
    }
  }
  emitUntil(Number.POSITIVE_INFINITY);
};
