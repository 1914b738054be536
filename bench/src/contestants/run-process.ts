import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { highWaterKb, treeRssKb } from "./process-tree.js";
import { repository } from "./bench-files.js";

const TIMEOUT_MS = 1_800_000;
const SAMPLE_EVERY_MS = 50;

/** The cores every contestant is pinned to; empty where that cannot be done. */
export const cores: string = availableParallelism() >= 2 && spawnSync("taskset", ["-c", "0,1", "true"]).status === 0 ? "0,1" : "";

export interface ProcessResult {
  readonly stdout: string;
  readonly peakRssKb: number;
  /** From the start of the process to its first output, in seconds. */
  readonly firstOutputSeconds: number;
}

/** Runs a command to its end on the benchmark's cores. Rejects with the end of what it said when it fails. */
export function runProcess(command: string, args: readonly string[], cwd: string = repository, timeoutMs: number = TIMEOUT_MS): Promise<ProcessResult> {
  const [program, programArgs] = cores === "" ? [command, args] : ["taskset", ["-c", cores, command, ...args]];
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const child = spawn(program, [...programArgs], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const { pid } = child;
    let stdout = "";
    let stderr = "";
    let firstOutputSeconds = Number.NaN;
    let peakRssKb = 0;
    const sampler = setInterval(() => {
      if (pid !== undefined) peakRssKb = Math.max(peakRssKb, treeRssKb(pid), highWaterKb(pid));
    }, SAMPLE_EVERY_MS);
    const timeout = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout === "") firstOutputSeconds = (performance.now() - startMs) / 1000;
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-20_000)));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearInterval(sampler);
      clearTimeout(timeout);
      if (code === 0) resolve({ stdout, peakRssKb, firstOutputSeconds });
      else reject(new Error(`${[command, ...args].join(" ")}\nended with ${signal ?? `exit code ${code}`}:\n${(stderr + stdout).slice(-4000)}`));
    });
  });
}
