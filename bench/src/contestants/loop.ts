import { join } from "node:path";
import type { Contestant, Sample } from "../work.js";
import { benchFolder, type BenchFiles } from "./bench-files.js";
import { runProcess } from "./run-process.js";

type LoopResult = Pick<Sample, "records" | "seconds" | "cpuSeconds" | "outputs" | "checksum">;

/** A plain loop of `bench/src/loops`: what one thread without any engine needs. @param input the files it reads, of so many bytes */
export function loop(name: string, input: (files: BenchFiles, bytes: number) => Promise<readonly string[]> = async () => []): Contestant {
  return {
    name: "loop",
    async run({ size, files }) {
      const warmupInput = await input(files, Math.min(size.textBytes, WARMUP_TEXT_BYTES));
      return runLoop("child.ts", [name, JSON.stringify({ records: size.records, keys: size.keys, input: await input(files, size.textBytes), warmupInput })]);
    },
  };
}
export const WARMUP_TEXT_BYTES = 20_000_000;

/** The keyed row by hand for two threads. */
export const twoWorkers: Contestant = {
  name: "loop",
  run: ({ size }) => runLoop("two-workers.ts", [JSON.stringify({ records: size.records, keys: size.keys })]),
};

/** Two processes and a socket. */
export const loopbackTcp: Contestant = {
  name: "loop",
  run: ({ size }) => runLoop("loopback-tcp.ts", [JSON.stringify({ records: size.records })]),
};

async function runLoop(program: string, args: readonly string[]): Promise<Sample> {
  const { stdout, peakRssKb } = await runProcess(process.execPath, ["--import", "tsx", join(benchFolder, "src/loops", program), ...args]);
  return { ...(JSON.parse(stdout) as LoopResult), peakRssKb, extras: {} };
}
