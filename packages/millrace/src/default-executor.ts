import { isMillraceError, userFrames } from "@millrace/core";
import { installedExecutor, installExecutor, type JobClient, type PipelineExecutor } from "@millrace/graph";

/*
 * Importing `millrace` is enough to run a job: unless something else (the command, a slot, a test) has installed an executor, jobs run in this thread.
 * What runs them is only loaded when the first one is executed.
 */
let executor: Promise<PipelineExecutor> | undefined;

if (installedExecutor() === undefined) {
  installExecutor({
    execute: async (pipeline) => {
      const call = userFrames(new Error("execute").stack);
      executor ??= import("@millrace/cluster/in-thread").then(({ nodeInThreadExecutor }) => nodeInThreadExecutor());
      return withShortStacks(await (await executor).execute(pipeline), call);
    },
  });
}

/** Node prints an error that nobody catches with its whole stack: leaves only the user's own frames in it, at the top those of the call that runs the job. */
function withShortStacks(client: JobClient, call: readonly string[]): JobClient {
  let result: ReturnType<JobClient["getJobExecutionResult"]> | undefined;
  return {
    jobId: client.jobId, getJobStatus: () => client.getJobStatus(), cancel: () => client.cancel(), getAccumulators: () => client.getAccumulators(),
    getMetrics: () => client.getMetrics(), triggerCheckpoint: () => client.triggerCheckpoint(),
    triggerSavepoint: (directory, formatType) => client.triggerSavepoint(directory, formatType), stopWithSavepoint: (options) => client.stopWithSavepoint(options),
    getJobExecutionResult: () => (result ??= client.getJobExecutionResult().catch((error: unknown) => {
      shorten(error, call);
      throw error;
    })),
  };
}

function shorten(error: unknown, frames: readonly string[]): void {
  for (let current = error, own = frames; current instanceof Error; current = current.cause, own = []) {
    const shown = own.length > 0 ? own : userFrames(current.stack);
    // An error of somebody else's without a frame of the user's is all there is to find it by.
    if (shown.length > 0 || isMillraceError(current)) current.stack = [`${current.name}: ${current.message}`, ...shown.map((frame) => `    ${frame}`)].join("\n");
  }
}
