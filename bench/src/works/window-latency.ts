import { flink, runFlink } from "../contestants/flink.js";
import { millrace } from "../contestants/millrace.js";
import { LatencyHistogram, type LatencyCounts } from "../data/latency-histogram.js";
import { formatNumber, formatRatio } from "../report/table.js";
import type { Figure, Medians, RunContext, Work } from "../work.js";

const SECONDS = 20;
const DISCARDED_SECONDS = 5;
/** Tried one after the other until Flink falls behind. */
const RATES: readonly number[] = [200_000, 300_000, 450_000, 680_000, 1_000_000, 1_500_000, 2_250_000, 3_400_000];

export const work: Work = {
  name: "window-latency",
  title: "latency of a 10 ms tumbling window at half of Flink's greatest rate",
  goal: "p99 ≤ half of Flink's",
  full: { keys: 1000 },
  smoke: { keys: 100 },
  async contestants(context) {
    const { size, skipFlink, progress } = context;
    const rate = size.smoke ? 10_000 : skipFlink ? RATES[0]! : Math.floor((await greatestRate(context)) / 2);
    const seconds = size.smoke ? 2 : SECONDS;
    const sized = { ...size, records: rate * seconds };
    const discard = String(size.smoke ? 1 : DISCARDED_SECONDS);
    const args = ["--rate", String(rate), "--discard", discard];
    progress(`${rate} records/s`);
    const ours = millrace({
      job: "window-latency", args: [...args, "--start-delay-ms", size.smoke ? "1500" : "4000"], extras: quantiles,
      config: { "execution.buffer-timeout.interval": "1 ms", "pipeline.auto-watermark-interval": "1 ms" },
    });
    const theirs = flink({ work: "window-latency", args: [...args, "--warmup-records", String(rate * Math.min(5, seconds))], tuning: "latency" });
    return [ours, theirs].map((side) => ({ ...side, run: (inner: RunContext) => side.run({ ...inner, size: sized }) }));
  },
  figures(medians) {
    const figure = (what: string, field: string, goal: number | undefined): Figure => {
      const of = (name: string): number => medians.get(name)?.extras[field] ?? Number.NaN;
      const ratio = of("millrace") / of("flink");
      return {
        what, millrace: formatNumber(of("millrace"), "ms"), flink: formatNumber(of("flink"), "ms"), limit: "", ratio: formatRatio(ratio),
        goal: goal === undefined ? "" : `≤ ${goal} ×`, met: goal === undefined || Number.isNaN(ratio) ? undefined : ratio <= goal,
      };
    };
    const rate: Figure = { what: "records/s", millrace: rateOf(medians, "millrace"), flink: rateOf(medians, "flink"), limit: "", ratio: "", goal: "", met: undefined };
    return [rate, figure("p50", "p50Ms", undefined), figure("p99", "p99Ms", 0.5), figure("p99.99", "p9999Ms", undefined)];
  },
};

function rateOf(medians: ReadonlyMap<string, Medians>, name: string): string {
  const of = medians.get(name);
  return of === undefined ? "–" : String(Math.round(of.recordsPerSecond));
}

/** The greatest of {@link RATES} at which Flink still ends on time. */
async function greatestRate(context: RunContext): Promise<number> {
  const seconds = 6;
  let sustained = RATES[0]!;
  for (const rate of RATES) {
    context.progress(`Flink at ${rate} records/s`);
    const size = { ...context.size, records: rate * seconds };
    const sample = await runFlink({ work: "window-latency", args: ["--rate", String(rate), "--discard", "2", "--warmup-records", String(rate * 3)], tuning: "latency" }, { ...context, size });
    // Its first record is due one second after the job was built.
    if (sample.seconds > seconds + 1.5) break;
    sustained = rate;
  }
  return sustained;
}

function quantiles(reports: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, number>> {
  const histogram = new LatencyHistogram();
  for (const { latency } of reports) histogram.addAll(latency as LatencyCounts);
  return { results: histogram.total, p50Ms: histogram.quantileMs(0.5), p99Ms: histogram.quantileMs(0.99), p9999Ms: histogram.quantileMs(0.9999) };
}
