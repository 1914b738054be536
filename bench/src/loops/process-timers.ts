import { fold, foldLong, HASH_START } from "../data/checksum.js";
import { reading, READING_DISORDER_MS } from "../data/records.js";
import { emitUntil, type Loop } from "./loop.js";

const BUCKET_MS = 10_000;

interface Bucket {
  count: number;
  sum: number;
}

export const run: Loop = ({ records, keys = 100_000 }, out) => {
  const buckets = new Map<number, Map<number, Bucket>>();
  const emit = (endMs: number, byKey: Map<number, Bucket>): void => {
    for (const [key, { count, sum }] of byKey) out.add(foldLong(foldLong(foldLong(fold(HASH_START, key), endMs), count), sum));
  };
  let newestMs = 0;
  for (let i = 0; i < records; i++) {
    const { key, time, value } = reading(i, keys, 100, 0);
    const endMs = time - (time % BUCKET_MS) + BUCKET_MS;
    let byKey = buckets.get(endMs);
    if (byKey === undefined) buckets.set(endMs, (byKey = new Map()));
    const bucket = byKey.get(key);
    if (bucket === undefined) byKey.set(key, { count: 1, sum: value });
    else {
      bucket.count++;
      bucket.sum += value;
    }
    if (time > newestMs) newestMs = time;
    if ((i & 1023) === 0) emitUntil(buckets, newestMs - READING_DISORDER_MS - 1, emit);
  }
  emitUntil(buckets, Number.POSITIVE_INFINITY, emit);
};
