import { fold, foldLong, HASH_START } from "../data/checksum.js";
import { reading, READING_DISORDER_MS } from "../data/records.js";
import type { Loop } from "./loop.js";

const SLIDE_MS = 1000;
const SLICES = 60;

/** Sums per slice and key; a window's sum is the last one's, plus the slice that came, minus the one that went. */
export const run: Loop = ({ records, keys = 1000 }, out) => {
  const slices = new Map<number, { sums: Float64Array; counts: Uint32Array }>();
  const windowSums = new Float64Array(keys);
  const windowCounts = new Float64Array(keys);
  let newestMs = 0;
  let nextEndMs = SLIDE_MS;

  const slideWhenComplete = (watermarkMs: number): boolean => {
    if (nextEndMs > watermarkMs) return false;
    const came = slices.get(nextEndMs);
    const wentMs = nextEndMs - SLICES * SLIDE_MS;
    const went = slices.get(wentMs);
    slices.delete(wentMs);
    for (let key = 0; key < keys; key++) {
      windowSums[key]! += (came?.sums[key] ?? 0) - (went?.sums[key] ?? 0);
      windowCounts[key]! += (came?.counts[key] ?? 0) - (went?.counts[key] ?? 0);
      if (windowCounts[key]! > 0) out.add(foldLong(foldLong(fold(HASH_START, key), nextEndMs), windowSums[key]!));
    }
    nextEndMs += SLIDE_MS;
    return true;
  };

  for (let i = 0; i < records; i++) {
    const { key, time, value } = reading(i, keys, 10, 0);
    const endMs = time - (time % SLIDE_MS) + SLIDE_MS;
    let slice = slices.get(endMs);
    if (slice === undefined) slices.set(endMs, (slice = { sums: new Float64Array(keys), counts: new Uint32Array(keys) }));
    slice.sums[key]! += value;
    slice.counts[key]!++;
    if (time > newestMs) newestMs = time;
    while (slideWhenComplete(newestMs - READING_DISORDER_MS)) continue;
  }
  while (slices.size > 0) slideWhenComplete(Number.POSITIVE_INFINITY);
};
