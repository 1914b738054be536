import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loop } from "../contestants/loop.js";
import { millrace } from "../contestants/millrace.js";
import { formatCount, formatNumber } from "../report/table.js";
import type { Contestant, Medians, Work } from "../work.js";

const GOAL_LOSS = 0.05;
const GOAL_PAUSE_MS = 20;

/** The same job without checkpoints and with one every second. */
export const work: Work = {
  name: "checkpoint-cost",
  title: "a checkpoint every second: 1 M keys, 1 % of them touched between two",
  goal: "costs < 5 % of throughput; longest pause ≤ 20 ms",
  full: { records: 30_000_000, keys: 1_000_000 },
  smoke: { records: 1_000_000, keys: 100_000 },
  contestants: () => [millrace({ job: "checkpoint-cost", extras: longestPause }, "without"), checkpointing, loop("checkpoint-cost")],
  figures(medians) {
    const rate = (name: string): number => medians.get(name)?.recordsPerSecond ?? Number.NaN;
    const pause = (name: string): number => (medians as ReadonlyMap<string, Medians>).get(name)?.extras["longestPauseMs"] ?? Number.NaN;
    const loss = 1 - rate("millrace") / rate("without");
    return [
      {
        what: "records/s, beside none", millrace: formatCount(rate("millrace")), flink: "", limit: formatCount(rate("loop")),
        ratio: `${(100 * loss).toFixed(1)} % lost`, goal: `< ${100 * GOAL_LOSS} %`, met: loss < GOAL_LOSS,
      },
      {
        what: `longest pause (${formatNumber(pause("without"), "ms", 1)} without)`, millrace: formatNumber(pause("millrace"), "ms", 1), flink: "", limit: "", ratio: "",
        goal: `≤ ${GOAL_PAUSE_MS} ms`, met: pause("millrace") <= GOAL_PAUSE_MS,
      },
    ];
  },
};

const checkpointing: Contestant = {
  name: "millrace",
  async run(context) {
    const directory = await mkdtemp(join(tmpdir(), "millrace-checkpoints-"));
    try {
      const config = { "execution.checkpointing.interval": context.size.smoke ? "100 ms" : "1 s", "execution.checkpointing.dir": directory };
      return await millrace({ job: "checkpoint-cost", extras: longestPause, config }).run(context);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

function longestPause(reports: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, number>> {
  return { longestPauseMs: Math.max(...reports.map((report) => Number(report["longestPauseMs"]))) };
}
