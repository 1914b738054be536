import { fold, HASH_START } from "../data/checksum.js";
import { triple } from "../data/records.js";
import type { Loop } from "./loop.js";

export const run: Loop = ({ records }, out) => {
  for (let i = 0; i < records; i++) {
    const { index, a: first, b } = triple(i);
    const sum = (first + b) | 0;
    if ((sum & 7) === 0) continue;
    const a = (Math.imul(sum, 31) + (b >>> 16)) | 0;
    out.add(fold(fold(HASH_START, index), a ^ (a >>> 15)));
    if ((b & 3) !== 0) continue;
    const other = a ^ 0x5bd1e995;
    out.add(fold(fold(HASH_START, index), other ^ (other >>> 15)));
  }
};
