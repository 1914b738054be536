import { readAhead } from "../contestants/bench-files.js";
import { flink, runFlink } from "../contestants/flink.js";
import { WARMUP_TEXT_BYTES } from "../contestants/loop.js";
import { millrace } from "../contestants/millrace.js";
import { formatNumber, formatRatio } from "../report/table.js";
import type { RunContext, Work } from "../work.js";

const GOAL = 0.5;
const KEPT_SPEED = 0.95;
/** Heaps in MB, the greatest being Flink's speed without want. */
const SMOKE_HEAP = 1024;
const HEAPS: readonly number[] = [96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096];

export const work: Work = {
  name: "memory",
  title: "peak memory of word count, all processes, beside Flink at the smallest heap that keeps 95 % of its speed",
  goal: `≤ ${GOAL} × Flink`,
  full: { textBytes: 200_000_000, prelude: 0 },
  smoke: { textBytes: 2_000_000, prelude: 0 },
  async contestants(context) {
    const { files, size, skipFlink } = context;
    const input = await files.text(size.textBytes);
    const warmup = await files.text(Math.min(size.textBytes, WARMUP_TEXT_BYTES));
    await readAhead(input);
    const args = ["--input", input.join(","), "--warmup-input", warmup.join(",")];
    const heapMb = skipFlink || size.smoke ? SMOKE_HEAP : await smallestHeap(context, args);
    return [millrace({ job: "word-count-file", args: ["--input", input.join(",")] }), flink({ work: "word-count-file", args, jvmArgs: heap(heapMb) })];
  },
  figures(medians) {
    const megabytes = (name: string): number => (medians.get(name)?.peakRssKb ?? Number.NaN) / 1024;
    const ratio = megabytes("millrace") / megabytes("flink");
    return [{
      what: "peak RSS", millrace: formatNumber(megabytes("millrace"), "MB", 0), flink: formatNumber(megabytes("flink"), "MB", 0), limit: "",
      ratio: formatRatio(ratio), goal: `≤ ${GOAL} ×`, met: Number.isNaN(ratio) ? undefined : ratio <= GOAL,
    }];
  },
};

function heap(megabytes: number): readonly string[] {
  return [`-Xms${megabytes}m`, `-Xmx${megabytes}m`, "-XX:+ExitOnOutOfMemoryError"];
}

/** By halving: with more heap Flink is not slower. A heap too small to run at all counts as too slow. */
async function smallestHeap(context: RunContext, args: readonly string[]): Promise<number> {
  const rateAt = async (megabytes: number, timeoutMs: number): Promise<number> => {
    context.progress(`Flink with a heap of ${megabytes} MB`);
    const sample = await runFlink({ work: "word-count-file", args, jvmArgs: heap(megabytes), timeoutMs }, context).catch(() => undefined);
    return sample === undefined ? 0 : sample.records / sample.seconds;
  };
  const startMs = performance.now();
  const enough = KEPT_SPEED * (await rateAt(HEAPS.at(-1)!, 1_800_000));
  // With too little heap it may not end at all.
  const timeoutMs = 2 * (performance.now() - startMs);
  let low = 0;
  let high = HEAPS.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await rateAt(HEAPS[middle]!, timeoutMs)) >= enough) high = middle;
    else low = middle + 1;
  }
  return HEAPS[high]!;
}
