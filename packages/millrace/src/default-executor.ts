import { installedExecutor, installExecutor, type PipelineExecutor } from "@millrace/graph";

/*
 * Importing `millrace` is enough to run a job: unless something else (the command, a slot, a test) has installed an executor, jobs run in this thread.
 * What runs them is only loaded when the first one is executed.
 */
let executor: Promise<PipelineExecutor> | undefined;

if (installedExecutor() === undefined) {
  installExecutor({
    execute: async (pipeline) => {
      executor ??= import("@millrace/cluster/in-thread").then(({ nodeInThreadExecutor }) => nodeInThreadExecutor());
      return (await executor).execute(pipeline);
    },
  });
}
