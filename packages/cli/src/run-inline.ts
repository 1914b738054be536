import { installExecutor, type JobClient, type JobModule } from "@millrace/graph";
import type { JobRequest } from "./command-line.js";

/** Runs a job's program in this thread, with all its subtasks. Resolves when it has submitted its (first) job. */
export async function startInThread(request: JobRequest): Promise<{ client: JobClient; ended: Promise<void>; lastCheckpointPath(): string | undefined }> {
  const [{ bundleJob }, { nodeInThreadExecutor }] = await Promise.all([import("@millrace/client"), import("@millrace/cluster/in-thread")]);
  const artifact = await bundleJob(request.job);
  process.setSourceMapsEnabled(true);
  process.argv.splice(1, Number.POSITIVE_INFINITY, artifact.source, ...request.args);
  const config = { ...request.config, "slot.isolation": "inline" };
  let lastCheckpointPath = (): string | undefined => undefined;
  const executor = nodeInThreadExecutor({
    configOverrides: config,
    onJob: (job) => {
      lastCheckpointPath = () => job.lastCheckpointPath;
    },
  });
  let ended!: Promise<void>;
  const client = await new Promise<JobClient>((resolve, reject) => {
    installExecutor({
      configOverrides: config,
      execute: async (pipeline) => {
        const submitted = await executor.execute(pipeline);
        resolve(submitted);
        return submitted;
      },
    });
    ended = runModule(artifact.url);
    ended.then(() => reject(new Error(`"${artifact.source}" ended without calling execute()`)), reject);
  });
  return { client, ended, lastCheckpointPath: () => lastCheckpointPath() };
}

async function runModule(url: string): Promise<void> {
  const { job, StreamExecutionEnvironment } = (await import(url)) as JobModule;
  if (typeof job.default !== "function") return;
  await (job.default as (env: unknown) => unknown)(StreamExecutionEnvironment.getExecutionEnvironment());
}
