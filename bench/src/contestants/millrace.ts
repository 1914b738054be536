import { existsSync } from "node:fs";
import { join } from "node:path";
import { addSums } from "../data/checksum.js";
import { REPORT_MARK, type SinkReport } from "../jobs/checksum-sink.js";
import type { Contestant, RunContext, Sample } from "../work.js";
import { benchFolder, repository } from "./bench-files.js";
import { runProcess } from "./run-process.js";

export interface MillraceOptions {
  readonly job: string;
  readonly args?: readonly string[];
  readonly config?: Readonly<Record<string, string>>;
  /** Merges what the sinks' subtasks reported beside their checksums. */
  readonly extras?: (reports: readonly SinkReport["extras"][]) => Readonly<Record<string, number>>;
}

/** The command as it is installed; before the packages are linked, the one in the workspace. */
export function millraceCommand(): string {
  const installed = join(repository, "node_modules/.bin/millrace");
  return existsSync(installed) ? installed : join(repository, "packages/millrace/bin/millrace.js");
}

export function jobFile(name: string): string {
  return join(benchFolder, "src/jobs", `${name}.ts`);
}

/** A job of `bench/src/jobs`, run as a user runs it, on two slots that are threads. */
export function millrace(options: MillraceOptions, name: string = "millrace"): Contestant {
  return { name, run: (context) => runJob(options, context) };
}

async function runJob({ job, args = [], config = {}, extras = () => ({}) }: MillraceOptions, { size }: RunContext): Promise<Sample> {
  const sizes = ["--records", String(size.records), "--prelude", String(size.prelude), ...(size.keys === undefined ? [] : ["--keys", String(size.keys)])];
  const settings = Object.entries(config).flatMap(([key, value]) => ["-D", `${key}=${value}`]);
  const { stdout, peakRssKb } = await runProcess(process.execPath, [millraceCommand(), "run", "--quiet", "-p", "2", ...settings, jobFile(job), ...sizes, ...args]);
  const reports = stdout.split("\n").filter((line) => line.startsWith(REPORT_MARK)).map((line) => JSON.parse(line.slice(REPORT_MARK.length)) as SinkReport);
  if (reports.length !== 2) throw new Error(`${job}: ${reports.length} subtasks of the sink reported instead of 2:\n${stdout.slice(-2000)}`);
  const [first, second] = reports as [SinkReport, SinkReport];
  const earlier = BigInt(first.startNs) < BigInt(second.startNs) ? first : second;
  const later = BigInt(first.endNs) > BigInt(second.endNs) ? first : second;
  const outputs = first.outputs + second.outputs;
  return {
    records: size.textBytes > 0 ? outputs : size.records,
    seconds: Number(BigInt(later.endNs) - BigInt(earlier.startNs)) / 1e9,
    cpuSeconds: (later.endCpuMicros - earlier.startCpuMicros) / 1e6,
    peakRssKb, outputs, checksum: addSums(first.checksum, second.checksum), extras: extras(reports.map((report) => report.extras)),
  };
}
