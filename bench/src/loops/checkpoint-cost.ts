import { fold, HASH_START } from "../data/checksum.js";
import { hotKey, HOT_EMIT } from "../data/hot-keys.js";
import type { Loop } from "./loop.js";

export const run: Loop = ({ records, keys = 1_000_000 }, out) => {
  const counts = new Map<number, number>();
  for (let i = 0; i < records; i++) {
    const key = hotKey(i, keys);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count % HOT_EMIT === 0) out.add(fold(fold(HASH_START, key), count));
  }
};
