import { foldLong, foldText, HASH_START } from "../data/checksum.js";
import { purchase, PURCHASE_DISORDER_MS } from "../data/records.js";
import { emitUntil, type Loop } from "./loop.js";

const WINDOW_MS = 60_000;

export const run: Loop = ({ records, keys = 100_000 }, out) => {
  const windows = new Map<number, Map<string, { sum: number }>>();
  const emit = (endMs: number, sums: Map<string, { sum: number }>): void => {
    for (const [key, { sum }] of sums) out.add(foldLong(foldLong(foldText(HASH_START, key), endMs), sum));
  };
  let newestMs = 0;
  for (let i = 0; i < records; i++) {
    const { key, time, amount } = purchase(i, keys);
    const endMs = time - (time % WINDOW_MS) + WINDOW_MS;
    let sums = windows.get(endMs);
    if (sums === undefined) windows.set(endMs, (sums = new Map()));
    const entry = sums.get(key);
    if (entry === undefined) sums.set(key, { sum: amount });
    else entry.sum += amount;
    if (time > newestMs) newestMs = time;
    if ((i & 1023) === 0) emitUntil(windows, newestMs - PURCHASE_DISORDER_MS, emit);
  }
  emitUntil(windows, Number.POSITIVE_INFINITY, emit);
};
