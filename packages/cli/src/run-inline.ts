import { installExecutor, type JobArguments, type JobClient, type JobModule } from "@millrace/graph";
import type { JobRequest } from "./command-line.js";

/** Runs a job's program in this thread, with all its subtasks. Resolves when it has submitted its (first) job. */
export async function startInThread(request: JobRequest): Promise<{ client: JobClient; ended: Promise<void>; lastCheckpointPath(): string | undefined }> {
  const [{ bundleJob, neverExecutes, unusedArguments }, { consoleLog, nodeInThreadExecutor }] = await Promise.all([import("@millrace/client"), import("@millrace/cluster/in-thread")]);
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
  const readers: JobArguments[] = [];
  let executed = false;
  let ended!: Promise<void>;
  const client = await new Promise<JobClient>((resolve, reject) => {
    installExecutor({
      configOverrides: config,
      onArguments: (reader) => void readers.push(reader),
      execute: async (pipeline) => {
        for (const warning of unusedArguments(request.args, readers.splice(0))) consoleLog.write("warn", warning);
        const submitted = await executor.execute(pipeline);
        resolve(submitted);
        executed = true;
        return submitted;
      },
    });
    ended = runModule(artifact.url, () => executed);
    ended.then(() => reject(neverExecutes(artifact.source)), reject);
  });
  return { client, ended, lastCheckpointPath: () => lastCheckpointPath() };
}

async function runModule(url: string, executed: () => boolean): Promise<void> {
  const { job, StreamExecutionEnvironment } = (await import(url)) as JobModule;
  if (typeof job.default !== "function") return;
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  await (job.default as (env: unknown) => unknown)(env);
  if (!executed()) await env.execute();
}
