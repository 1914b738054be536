import { readAhead } from "../contestants/bench-files.js";
import { flink } from "../contestants/flink.js";
import { loop, WARMUP_TEXT_BYTES } from "../contestants/loop.js";
import { millrace } from "../contestants/millrace.js";
import type { Work } from "../work.js";
import { throughputFigure } from "./throughput.js";

/** The text is two files, since the peer's reader does not split one. */
export const work: Work = {
  name: "word-count-file",
  title: "word count of a text file",
  goal: "≥ 2 × Flink",
  full: { textBytes: 1_000_000_000 },
  smoke: { textBytes: 2_000_000 },
  async contestants({ files, size, progress }) {
    progress("makes the text");
    const input = await files.text(size.textBytes);
    const warmup = await files.text(Math.min(size.textBytes, WARMUP_TEXT_BYTES));
    await readAhead(input);
    return [
      millrace({ job: "word-count-file", args: ["--input", input.join(",")] }),
      flink({ work: "word-count-file", args: ["--input", input.join(","), "--warmup-input", warmup.join(",")] }),
      loop("word-count-file", (from, bytes) => from.text(bytes)),
    ];
  },
  figures: (medians) => [throughputFigure(medians, 2)],
};
