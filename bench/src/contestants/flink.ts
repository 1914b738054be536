import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { Contestant, RunContext, Sample } from "../work.js";
import { benchFolder } from "./bench-files.js";
import { runProcess } from "./run-process.js";

const folder = join(benchFolder, "peers/flink");

export interface FlinkOptions {
  readonly work: string;
  readonly args?: readonly string[];
  /** Which of the peer's argument files chooses collector and heap; arguments after it win. */
  readonly tuning?: "throughput" | "latency";
  readonly jvmArgs?: readonly string[];
  /** After this it is killed, and has failed. */
  readonly timeoutMs?: number;
}

interface FlinkResult {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly outputs: number;
  readonly checksum: number;
  readonly peakRssKb: number;
  readonly coldSeconds: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p9999Ms?: number;
  readonly results?: number;
  readonly config: unknown;
}

/** Builds the peer unless it is there and newer than its sources. @throws what Maven said */
export async function buildPeer(): Promise<void> {
  const jar = join(folder, "target/peer.jar");
  const sources = ["pom.xml", ...readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" }).map((name) => join("src", name))];
  if (existsSync(jar) && sources.every((name) => statSync(join(folder, name)).mtimeMs <= statSync(jar).mtimeMs)) return;
  await runProcess("sh", ["-c", "mvn -q -o package || mvn -q package"], folder);
  // Maven leaves it alone when nothing has changed but times.
  utimesSync(jar, new Date(), new Date());
}

export function flink(options: FlinkOptions, name: string = "flink"): Contestant {
  return { name, isFlink: true, run: (context) => runFlink(options, context) };
}

export async function runFlink({ work, args = [], tuning = "throughput", jvmArgs = [], timeoutMs }: FlinkOptions, { size }: RunContext): Promise<Sample> {
  const { stdout, peakRssKb } = await runProcess("java", [
    "@java.args", `@${tuning}.args`, ...jvmArgs, "-cp", "target/peer.jar:target/lib/*", "dev.millrace.peer.Bench",
    "--work", work, "--records", String(size.records), ...(size.keys === undefined ? [] : ["--keys", String(size.keys)]), ...args,
  ], folder, timeoutMs);
  const result = JSON.parse(stdout.trim().split("\n").at(-1)!) as FlinkResult;
  const extras = Object.fromEntries(["coldSeconds", "p50Ms", "p99Ms", "p9999Ms", "results"].flatMap((field) => {
    const value = result[field as keyof FlinkResult];
    return typeof value === "number" ? [[field, value]] : [];
  }));
  return {
    records: result.records, seconds: result.seconds, cpuSeconds: result.cpuSeconds, outputs: result.outputs, checksum: result.checksum,
    peakRssKb: Math.max(peakRssKb, result.peakRssKb), extras, config: result.config,
  };
}
