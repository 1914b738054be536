import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { jobFile } from "../contestants/millrace.js";
import type { Sample, Size } from "../work.js";
import { completedCheckpoints, peakRssKb, until, type BenchCluster } from "./cluster.js";
import type { FlinkCluster } from "./flink-cluster.js";
import type { OurCluster } from "./our-cluster.js";
import { backAfterMs, longestSilenceMs, outputTimes } from "./silence.js";

const RECORDS_PER_SECOND = 400_000;
const CHECKPOINT_MS = 2000;
const SMOKE_CHECKPOINT_MS = 200;

export interface Interruption {
  readonly cluster: BenchCluster;
  readonly size: Size;
  /** Submits the job `interruptions` with one task after the other in one slot; resolves with its id. */
  readonly submit: (output: string) => Promise<string>;
  readonly interrupt: (jobId: string) => Promise<void>;
  /** Whether the job was taken up again; default: a new attempt or subtask has put something out. */
  readonly recovered?: (jobId: string) => Promise<boolean>;
}

/** Lets a job reach all its keys and a checkpoint with them, interrupts it, and looks how long it was without output. */
export async function measureInterruption({ cluster, size, submit, interrupt, recovered }: Interruption): Promise<Sample> {
  const output = join(cluster.directory, "output");
  mkdirSync(output);
  const jobId = await submit(output);
  await until("the job puts something out", () => outputTimes(output).length > 0, 50);
  const startMs = outputTimes(output)[0]!;
  const fullMs = (1.5 * size.keys! * 1000) / RECORDS_PER_SECOND;
  await until("all keys were seen", () => Date.now() > startMs + fullMs, 50);
  const checkpoints = await completedCheckpoints(cluster.restUrl, jobId);
  await until("a checkpoint has completed", async () => (await completedCheckpoints(cluster.restUrl, jobId)) > checkpoints + 1);
  const before = new Set(readdirSync(output));
  const interruptMs = Date.now();
  await interrupt(jobId);
  await until("the job goes on", async () => (recovered === undefined ? hasNewFile(output, before) : recovered(jobId)), 50);
  const backMs = Date.now();
  await until("output comes steadily", () => (outputTimes(output).at(-1) ?? 0) > backMs + 500, 100);
  const times = outputTimes(output);
  const silenceMs = longestSilenceMs(times, interruptMs);
  return {
    records: 1, seconds: silenceMs / 1000, cpuSeconds: Number.NaN, peakRssKb: peakRssKb(cluster.pids()), outputs: 0, checksum: 0,
    extras: { silenceMs, backMs: backAfterMs(times, interruptMs) },
  };
}

function hasNewFile(directory: string, before: ReadonlySet<string>): boolean {
  return readdirSync(directory).some((name) => !before.has(name) && statSync(join(directory, name)).size > 0);
}

/** Our command, detached. */
export async function submitOurs({ processes: cluster }: Pick<OurCluster, "processes">, size: Size, output: string, options: readonly string[] = [], addresses: string = cluster.address): Promise<string> {
  const define = [`execution.checkpointing.dir=${join(cluster.directory, "checkpoints")}`, `execution.checkpointing.interval=${checkpointMs(size)} ms`, ...options].flatMap((definition) => ["-D", definition]);
  const { code, output: said } = await cluster.run(
    "run", "-d", "-m", addresses, "-p", "1", ...define, jobFile("interruptions"), "--output", output, "--keys", String(size.keys), "--rate", String(RECORDS_PER_SECOND),
  );
  const jobId = /JobID ([0-9a-f]{32})/.exec(said)?.[1];
  if (code !== 0 || jobId === undefined) throw new Error(`the job was not submitted:\n${said}`);
  return jobId;
}

/** The peer's client, detached. */
export async function submitFlink(cluster: FlinkCluster, size: Size, output: string): Promise<string> {
  const [job] = await cluster.submit([
    "--work", "interruptions", "--detached", "true", "--parallelism", "1", "--keys", String(size.keys), "--rate", String(RECORDS_PER_SECOND), "--output", output,
    "--checkpoint-ms", String(checkpointMs(size)), "--checkpoints", `file://${join(cluster.directory, "checkpoints")}`,
  ]);
  return job!.jobId;
}

function checkpointMs({ smoke }: Size): number {
  return smoke ? SMOKE_CHECKPOINT_MS : CHECKPOINT_MS;
}
