// How long a job with a million keys puts nothing out: while it is rescaled from one slot to two, and when a TaskManager is killed and a slot is spare.
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalCluster, until } from "../../../e2e/cluster/processes.js";

const KEYS = 1_000_000;
const job = fileURLToPath(new URL("./job.ts", import.meta.url));

/** The longest time without output since then. */
function silence(directory: string, sinceMs: number): { readonly gapMs: number; readonly last: number } {
  const times = readdirSync(directory).flatMap((name) => {
    const bytes = readFileSync(join(directory, name));
    return [...new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + Math.floor(bytes.length / 8) * 8))];
  }).filter((time) => time >= sinceMs - 200).sort((a, b) => a - b);
  let gapMs = 0;
  for (let i = 1; i < times.length; i++) gapMs = Math.max(gapMs, times[i]! - times[i - 1]!);
  return { gapMs, last: times.at(-1) ?? 0 };
}

async function measure(what: string, config: readonly string[], parallelism: number, interrupt: (cluster: LocalCluster, jobId: string) => Promise<void>): Promise<void> {
  const cluster = await LocalCluster.start(2);
  try {
    const output = join(cluster.directory, "output");
    mkdirSync(output);
    const define = [`execution.checkpointing.dir=${join(cluster.directory, "checkpoints")}`, ...config].flatMap((definition) => ["-D", definition]);
    const run = cluster.spawn(["run", "-m", cluster.address, "-p", String(parallelism), ...define, job, "--output", output, "--keys", String(KEYS), "--rate", "400000"]);
    let over = false;
    void run.ended.then(() => (over = true));
    const client = await cluster.client();
    const state = async (): Promise<{ jobId: string; records: number; width: number; restarted: number | undefined; status: string; checkpoints: number; size: number | undefined }> => {
      if (over) throw new Error(run.output());
      const [found] = await client.ask("listJobs", undefined);
      if (found === undefined) return { jobId: "", records: 0, width: 0, restarted: undefined, status: "", checkpoints: 0, size: undefined };
      const { vertices, status, lastRestartDurationMs, checkpointsCompleted, lastCheckpointFullSize } = await client.ask("jobMetrics", { jobId: found.jobId });
      const keyed = vertices.at(-1)!;
      return { jobId: found.jobId, records: keyed.subtasks.reduce((sum, { numRecordsIn = 0 }) => sum + numRecordsIn, 0), width: keyed.parallelism, restarted: lastRestartDurationMs, status, checkpoints: checkpointsCompleted, size: lastCheckpointFullSize };
    };
    await until(async () => {
      const { records, checkpoints } = await state();
      return records > 1.5 * KEYS && checkpoints > 0;
    });
    const before = await state();
    const startMs = Date.now();
    await interrupt(cluster, before.jobId);
    await until(async () => (await state()).restarted !== undefined);
    const backMs = Date.now();
    await until(() => silence(output, startMs).last > backMs + 500);
    const { restarted, size, width } = await state();
    process.stdout.write(`${what}: ${silence(output, startMs).gapMs} ms without output, of which ${restarted} ms until all tasks ran; ${KEYS} keys, ${((size ?? 0) / 1e6).toFixed(1)} MB of state; now ${width} wide\n`);
    client.close();
  } finally {
    await cluster.stop();
  }
}

const runs = Number(process.argv[2] ?? 1);
for (let i = 0; i < runs; i++) {
  await measure("rescale 1 → 2", ["jobmanager.scheduler=adaptive", "execution.checkpointing.interval=2 s"], 1, async (cluster, jobId) => {
    await cluster.run("rescale", jobId, "-p", "2", "-m", cluster.address);
  });
  await measure("kill -9, a slot spare", ["execution.checkpointing.interval=2 s"], 1, async (cluster) => {
    // The TaskManager that has the job: one of them has a slot free.
    const client = await cluster.client();
    const { taskManagers } = await client.ask("overview", undefined);
    client.close();
    const busy = taskManagers.find(({ freeSlots }) => freeSlots === 0)!;
    cluster.taskManagers.find(({ child }) => child.pid === busy.processId)!.child.kill("SIGKILL");
  });
}
