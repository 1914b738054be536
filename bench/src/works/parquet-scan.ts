import { readAhead } from "../contestants/bench-files.js";
import { flink } from "../contestants/flink.js";
import { millrace } from "../contestants/millrace.js";
import type { Work } from "../work.js";
import { throughputFigure } from "./throughput.js";

/** The second half of the rows, in the order of their ids: statistics tell which row groups hold them. */
const FROM = 0.5;

export const work: Work = {
  name: "parquet-scan",
  title: "2 of 12 columns of Parquet files, of the rows in the second half of an ascending column; records are all rows",
  goal: "≥ 2 × Flink",
  full: { records: 10_000_000 },
  smoke: { records: 50_000 },
  async contestants({ files, size, progress }) {
    progress("writes the files");
    const input = await files.parquet(size.records);
    const warmup = await files.parquet(Math.ceil(size.records / 4));
    await readAhead(input);
    const args = ["--input", input.join(","), "--from-id", String(Math.floor(size.records * FROM))];
    return [millrace({ job: "parquet-scan", args }), flink({ work: "parquet-scan", args: [...args, "--warmup-input", warmup.join(","), "--all-records", "true"] })];
  },
  figures: (medians) => [throughputFigure(medians, 2)],
};
