import { hashRow, type Row } from "../data/rows.js";
import type { Loop } from "./loop.js";
import { eachBlock } from "./text-blocks.js";

export const run: Loop = async ({ input }, out) => {
  await eachBlock(input, (block) => {
    let from = 0;
    for (let to = block.indexOf("\n"); to >= 0; to = block.indexOf("\n", from)) {
      out.add(hashRow(JSON.parse(block.slice(from, to)) as Row));
      from = to + 1;
    }
  });
  return out.outputs;
};
