import { createReadStream } from "node:fs";
import { fold, foldText, HASH_START } from "../data/checksum.js";
import { eachWord } from "../data/words.js";
import type { Loop } from "./loop.js";

/** Its records are words. */
export const run: Loop = async ({ input }, out) => {
  const counts = new Map<string, { count: number }>();
  const count = (word: string): void => {
    let entry = counts.get(word);
    if (entry === undefined) counts.set(word, (entry = { count: 0 }));
    out.add(fold(foldText(HASH_START, word), ++entry.count));
  };
  for (const path of input) {
    let rest = "";
    for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 20 })) {
      const text = rest + (chunk as string);
      let from = 0;
      for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
        eachWord(text.slice(from, to), count);
        from = to + 1;
      }
      rest = text.slice(from);
    }
    eachWord(rest, count);
  }
  return out.outputs;
};
