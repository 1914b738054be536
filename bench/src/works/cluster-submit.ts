import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { allRunningSinceMs, newestJobId, peakRssKb, until } from "../cluster/cluster.js";
import { FlinkCluster, peerJar } from "../cluster/flink-cluster.js";
import { OurCluster } from "../cluster/our-cluster.js";
import { jobFile, millraceCommand } from "../contestants/millrace.js";
import { Checksum, fold, foldText, HASH_START } from "../data/checksum.js";
import { median } from "../report/medians.js";
import { formatNumber, formatRatio } from "../report/table.js";
import type { Contestant, Figure, Sample, Work } from "../work.js";

const GOAL_RUNNING_MS = 300;
const GOAL_OUTPUT_MS = 500;
const SUBMISSIONS = { full: 5, smoke: 1 };
let copies = 0;

/**
 * Ours counts from the start of the `millrace run` process, of a job whose file it has never seen, and of one it has. Flink's from the call that submits, in a client that has submitted
 * before, and, as `flink-command`, from the start of the client's process.
 */
export const work: Work = {
  name: "cluster-submit",
  title: "a word count submitted to a warm cluster of two TaskManagers with a slot each, from the start of the command",
  goal: `all tasks RUNNING ≤ ${GOAL_RUNNING_MS} ms, first output ≤ ${GOAL_OUTPUT_MS} ms`,
  full: {},
  smoke: {},
  contestants: () => [ours("millrace", true), ours("millrace-again", false), flinkClient],
  figures(medians) {
    const of = (name: string, extra: string): number => medians.get(name)?.extras[extra] ?? Number.NaN;
    const figure = (what: string, ms: number, flinkMs: number, goalMs?: number): Figure => ({
      what, millrace: formatNumber(ms, "ms", 0), flink: formatNumber(flinkMs, "ms", 0), limit: "", ratio: formatRatio(ms / flinkMs),
      goal: goalMs === undefined ? "" : `≤ ${goalMs} ms`, met: goalMs === undefined ? undefined : ms <= goalMs,
    });
    return [
      figure("submit to RUNNING (Flink: its client is up)", of("millrace", "runningMs"), of("flink", "runningMs"), GOAL_RUNNING_MS),
      figure("submit to first output (Flink: its client is up)", of("millrace", "outputMs"), of("flink", "outputMs"), GOAL_OUTPUT_MS),
      figure("to RUNNING, bundle cached (Flink: from its client's start)", of("millrace-again", "runningMs"), of("flink", "commandRunningMs")),
      figure("to first output, bundle cached (Flink: from its client's start)", of("millrace-again", "outputMs"), of("flink", "commandOutputMs")),
    ];
  },
};

/** What a submission took until all tasks ran, and until the first output was made in a task. */
interface Submission {
  readonly runningMs: number;
  readonly outputMs: number;
}

function ours(name: string, unseen: boolean): Contestant {
  return {
    name,
    async run({ size, files }) {
      const cluster = await OurCluster.start();
      try {
        const count = size.smoke ? SUBMISSIONS.smoke : SUBMISSIONS.full;
        const out = new Checksum();
        const submissions: Submission[] = [];
        // The first one warms the cluster up.
        for (let i = 0; i <= count; i++) {
          await settled(cluster);
          const job = unseen ? join(files.folder, `submit-${process.pid}-${++copies}.ts`) : jobFile("submit");
          if (unseen) await mkdir(files.folder, { recursive: true }).then(() => copyFile(jobFile("submit"), job));
          const startMs = Date.now();
          const stdout = await runToEnd([millraceCommand(), "run", "--quiet", "-m", cluster.processes.address, "-p", "2", job]);
          if (unseen) await rm(job);
          const outputs = [...stdout.matchAll(/(\S+) (\d+) @(\d+)$/gm)];
          const runningMs = (await allRunningSinceMs(cluster.restUrl, await newestJobId(cluster.restUrl)))! - startMs;
          if (i === 0) continue;
          submissions.push({ runningMs, outputMs: Math.min(...outputs.map(([, , , ms]) => Number(ms))) - startMs });
          if (i === count) for (const [, word, n] of outputs) out.add(fold(foldText(HASH_START, word!), Number(n)));
        }
        return sampleOf(submissions, {}, peakRssKb(cluster.pids()), out);
      } finally {
        await cluster.stop();
      }
    },
  };
}

/** The slots of the job before are free, and their successors wait. */
async function settled(cluster: OurCluster): Promise<void> {
  await cluster.idle();
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

function runToEnd(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(stdout) : reject(new Error(`${args.join(" ")} ended with ${code}:\n${stderr}`))));
  });
}

const flinkClient: Contestant = {
  name: "flink", isFlink: true,
  async run({ size }) {
    const cluster = await FlinkCluster.start();
    try {
      const times = 2 + (size.smoke ? SUBMISSIONS.smoke : SUBMISSIONS.full);
      const args = ["--work", "cold-start", "--jar", peerJar];
      // Warms the cluster up.
      await cluster.submit(args);
      const startMs = Date.now();
      const jobs = await cluster.submit([...args, "--times", String(times)]);
      const expected = 2 * (times + 1);
      await until("Flink's sinks have reported", () => cluster.printed().filter((line) => line.startsWith("@bench ")).length === expected);
      const firstOutputs = cluster.printed().filter((line) => line.startsWith("@first ")).map((line) => Number(line.slice("@first ".length))).sort((a, b) => a - b);
      const submissions: Submission[] = [];
      for (const { jobId, submitMs } of jobs) {
        submissions.push({ runningMs: (await allRunningSinceMs(cluster.restUrl, jobId))! - submitMs, outputMs: firstOutputs.find((ms) => ms >= submitMs)! - submitMs });
      }
      const [first, , ...warm] = submissions;
      const beforeMs = jobs[0]!.submitMs - startMs;
      const out = new Checksum();
      const reports = cluster.printed().filter((line) => line.startsWith("@bench ")).map((line) => JSON.parse(line.slice("@bench ".length)) as { endNs: string; outputs: number; checksum: number })
        .sort((a, b) => Number(BigInt(a.endNs) - BigInt(b.endNs))).slice(-2);
      return {
        ...sampleOf(warm, { commandRunningMs: beforeMs + first!.runningMs, commandOutputMs: beforeMs + first!.outputMs }, peakRssKb(cluster.pids()), out),
        outputs: reports.reduce((sum, { outputs }) => sum + outputs, 0), checksum: reports.reduce((sum, { checksum }) => sum + checksum, 0),
      };
    } finally {
      await cluster.stop();
    }
  },
};

function sampleOf(submissions: readonly Submission[], extras: Readonly<Record<string, number>>, rssKb: number, out: Checksum): Sample {
  const [runningMs, outputMs] = [median(submissions.map((one) => one.runningMs)), median(submissions.map((one) => one.outputMs))];
  return { records: 1, seconds: outputMs / 1000, cpuSeconds: Number.NaN, peakRssKb: rssKb, outputs: out.outputs, checksum: out.sum, extras: { runningMs, outputMs, ...extras } };
}
