import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { flink } from "../contestants/flink.js";
import { jobFile, millraceCommand } from "../contestants/millrace.js";
import { runProcess } from "../contestants/run-process.js";
import { Checksum, fold, foldText, HASH_START } from "../data/checksum.js";
import { formatNumber, formatRatio } from "../report/table.js";
import type { Contestant, Figure, RunContext, Sample, Work } from "../work.js";

const GOAL_SECONDS = 1;
let copies = 0;

/** `millrace run` of a job it has not seen before (so it has to be bundled), and of the same one again. */
export const work: Work = {
  name: "cold-start",
  title: "from the start of the command to the first result of a word count",
  goal: `≤ ${GOAL_SECONDS} s`,
  full: {},
  smoke: {},
  contestants: () => [
    ours("millrace", async ({ files }) => {
      await mkdir(files.folder, { recursive: true });
      const job = join(files.folder, `cold-start-${process.pid}-${++copies}.ts`);
      await copyFile(jobFile("cold-start"), job);
      try {
        return await countWords(job);
      } finally {
        await rm(job);
      }
    }),
    ours("millrace-again", () => countWords(jobFile("cold-start"))),
    flink({ work: "cold-start", args: ["--warmup", "false"] }),
  ],
  figures(medians) {
    const of = (name: string): number => medians.get(name)?.extras["coldSeconds"] ?? Number.NaN;
    const figure = (what: string, name: string, goal: boolean): Figure => ({
      what, millrace: formatNumber(of(name), "s"), flink: formatNumber(of("flink"), "s"), limit: "", ratio: formatRatio(of(name) / of("flink")),
      goal: goal ? `≤ ${GOAL_SECONDS} s` : "", met: goal ? of(name) <= GOAL_SECONDS : undefined,
    });
    return [figure("first result", "millrace", true), figure("first result, bundle cached", "millrace-again", false)];
  },
};

function ours(name: string, run: (context: RunContext) => Promise<Sample>): Contestant {
  return { name, run };
}

async function countWords(job: string): Promise<Sample> {
  const startMs = performance.now();
  const { stdout, firstOutputSeconds, peakRssKb } = await runProcess(process.execPath, [millraceCommand(), "run", "--quiet", "-p", "2", job]);
  const out = new Checksum();
  for (const [, word, count] of stdout.matchAll(/(\S+) (\d+)$/gm)) out.add(fold(foldText(HASH_START, word!), Number(count)));
  return {
    records: out.outputs, seconds: (performance.now() - startMs) / 1000, cpuSeconds: Number.NaN, peakRssKb, outputs: out.outputs, checksum: out.sum,
    extras: { coldSeconds: firstOutputSeconds },
  };
}
