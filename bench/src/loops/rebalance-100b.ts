import { fold, foldText, HASH_START } from "../data/checksum.js";
import { payload } from "../data/records.js";
import type { Loop } from "./loop.js";

export const run: Loop = ({ records }, out) => {
  for (let i = 0; i < records; i++) {
    const { index, a, text } = payload(i);
    out.add(foldText(fold(fold(HASH_START, index), (a + 1) | 0), text));
  }
};
