import { PARALLELISM } from "@millrace/core";
import { consoleLog } from "@millrace/cluster/embedded";
import { startJobManager, nodeClusterEnv, processLog } from "@millrace/cluster/process";
import { portableArtifact } from "@millrace/client";
import type { JobRequest } from "./command-line.js";
import { exitCodes } from "./exit-codes.js";
import { jobPart, processConfig } from "./process-config.js";
import { stopSignal } from "./process-commands.js";
import { onWorkers, packagesToSend } from "./remote-job.js";
import { planJob } from "./run-job.js";

/**
 * `millrace standalone-job`: a JobManager that runs one job and ends with it (Flink's Application mode). The job's program runs here, in a thread of
 * its own; its slots come from TaskManagers that are started separately.
 */
export async function standaloneJobCommand(request: JobRequest): Promise<number> {
  const config = await processConfig({ define: Object.fromEntries(Object.entries(request.config).map(([key, value]) => [key, String(value)])), configDir: request.configDir });
  const { jobManager, stop } = await startJobManager(config);
  try {
    const { artifact, program, jobGraph } = await planJob(request.job, {
      args: request.args, config: onWorkers(jobPart(config)), ...(config.has(PARALLELISM) ? { parallelism: config.get(PARALLELISM) } : {}),
    }, packagesToSend(jobPart(config)));
    for (const warning of program.warnings) processLog.write("warn", warning);
    const bytes = await portableArtifact(artifact);
    const key = nodeClusterEnv(processLog).sha256Hex(bytes);
    await jobManager.blobs.put(key, bytes);
    const job = await jobManager.dispatcher.submit({ jobGraph, artifact: key, source: artifact.source, args: request.args }, {
      collected: (...batch) => program.collected(...batch),
      log: (level, line) => {
        if (level === "print") consoleLog.write(level, line);
      },
    });
    const { LocalJobClient } = await import("@millrace/cluster/embedded");
    program.attach(new LocalJobClient(jobGraph.jobId, job.master));
    void stopSignal().then(() => job.master.cancel());
    await job.master.result;
    await program.ended;
    return exitCodes.finished;
  } finally {
    await stop();
  }
}
