import { REPORT_MARK, type SinkReport } from "../jobs/checksum-sink.js";
import { jobFile } from "../contestants/millrace.js";
import { addSums } from "../data/checksum.js";
import type { Contestant, RunContext, Sample, Size } from "../work.js";
import { peakRssKb, until } from "./cluster.js";
import { FlinkCluster, THROUGHPUT } from "./flink-cluster.js";
import { OurCluster } from "./our-cluster.js";

export interface ClusterJob {
  readonly job: string;
  /** Of the peer. */
  readonly work: string;
}

/** Two TaskManagers with a slot each, one run in a new cluster. */
export function millraceInCluster({ job }: ClusterJob): Contestant {
  return {
    name: "millrace",
    async run({ size }) {
      const cluster = await OurCluster.start();
      try {
        const sizes = ["--records", String(size.records), "--prelude", String(size.prelude), ...(size.keys === undefined ? [] : ["--keys", String(size.keys)])];
        const profile = process.env["MILLRACE_BENCH_PROFILE"];
        const { code, output } = await cluster.processes.run(
          "run", "--quiet", "-m", cluster.processes.address, "-p", "2", jobFile(job), ...sizes, ...(profile === undefined ? [] : ["--profile", profile]),
        );
        if (code !== 0) throw new Error(`${job} ended with ${code}:\n${output.slice(-4000)}`);
        return sampleOf(reportsIn(output.split("\n")), size, peakRssKb(cluster.pids()));
      } finally {
        await cluster.stop();
      }
    },
  };
}

/** The job has run before, with a quarter of the records, in the same cluster. */
export function flinkInCluster({ work }: ClusterJob): Contestant {
  return {
    name: "flink", isFlink: true,
    async run({ size }: RunContext) {
      const cluster = await FlinkCluster.start(THROUGHPUT);
      try {
        await cluster.submit([
          "--work", work, "--records", String(size.records), "--warmup-records", String(Math.max(1, size.records >> 2)), "--object-reuse", "true",
          ...(size.keys === undefined ? [] : ["--keys", String(size.keys)]),
        ]);
        // What a process prints may arrive after the job's end.
        await until("Flink's sinks have reported", () => reportsIn(cluster.printed()).length === 4);
        // Those of each process in the order of the jobs.
        const reports = reportsIn(cluster.printed()).sort((a, b) => Number(BigInt(a.endNs) - BigInt(b.endNs)));
        return sampleOf(reports.slice(2), size, peakRssKb(cluster.pids()));
      } finally {
        await cluster.stop();
      }
    },
  };
}

function reportsIn(lines: readonly string[]): SinkReport[] {
  return lines.flatMap((line) => {
    const at = line.indexOf(REPORT_MARK);
    return at < 0 ? [] : [JSON.parse(line.slice(at + REPORT_MARK.length)) as SinkReport];
  });
}

/** Of two processes. One without a source has no start of its own. */
export function sampleOf(reports: readonly SinkReport[], size: Size, rssKb: number): Sample {
  if (reports.length !== 2) throw new Error(`${reports.length} subtasks of the sink reported instead of 2`);
  const startNs = reports.map((report) => BigInt(report.startNs)).filter((start) => start > 0n).reduce((a, b) => (a < b ? a : b));
  const endNs = reports.map((report) => BigInt(report.endNs)).reduce((a, b) => (a > b ? a : b));
  return {
    records: size.records, seconds: Number(endNs - startNs) / 1e9, cpuSeconds: reports.reduce((sum, report) => sum + report.endCpuMicros - report.startCpuMicros, 0) / 1e6,
    peakRssKb: rssKb, outputs: reports.reduce((sum, { outputs }) => sum + outputs, 0), checksum: reports.reduce((sum, { checksum }) => addSums(sum, checksum), 0), extras: {},
  };
}
