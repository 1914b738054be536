import { readAhead } from "../contestants/bench-files.js";
import { flink } from "../contestants/flink.js";
import { loop, WARMUP_TEXT_BYTES } from "../contestants/loop.js";
import { millrace } from "../contestants/millrace.js";
import { formatNumber } from "../report/table.js";
import type { Medians, Work } from "../work.js";
import { throughputFigure } from "./throughput.js";

function rows(format: "csv" | "json", what: string, parser: string): Work {
  return {
    name: `${format}-rows`,
    title: `${what} → typed records; as the limit ${parser} in one thread`,
    goal: "≥ 2 × Flink",
    full: { textBytes: 1_000_000_000 },
    smoke: { textBytes: 2_000_000 },
    async contestants({ files, size, progress }) {
      progress("makes the rows");
      const input = await files.rows(format, size.textBytes);
      const warmup = await files.rows(format, Math.min(size.textBytes, WARMUP_TEXT_BYTES));
      await readAhead(input);
      return [
        millrace({ job: `${format}-rows`, args: ["--input", input.join(",")] }),
        flink({ work: `${format}-rows`, args: ["--input", input.join(","), "--warmup-input", warmup.join(",")] }),
        loop(`${format}-rows`, (from, bytes) => from.rows(format, bytes)),
      ];
    },
    figures(medians, { textBytes }) {
      const megabytes = (name: string): string => formatNumber(textBytes / 1e6 / ((medians as ReadonlyMap<string, Medians>).get(name)?.seconds ?? Number.NaN), "MB/s");
      return [
        throughputFigure(medians, 2),
        { what: "", millrace: megabytes("millrace"), flink: megabytes("flink"), limit: megabytes("loop"), ratio: "", goal: "", met: undefined },
      ];
    },
  };
}

export const csvRows: Work = rows("csv", "CSV rows", "`udsv`");
export const jsonRows: Work = rows("json", "lines of JSON", "`JSON.parse`");
