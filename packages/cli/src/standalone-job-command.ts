import { HA_CLUSTER_ID, HA_TYPE, PARALLELISM, type Configuration, type LogSink } from "@millrace/core";
import { consoleLog } from "@millrace/cluster/embedded";
import { ApplicationJob, nodeClusterEnv, openProcessLogging, startJobManager } from "@millrace/cluster/process";
import { portableArtifact } from "@millrace/client";
import type { JobRequest } from "./command-line.js";
import { exitCodes } from "./exit-codes.js";
import { jobPart, processConfig } from "./process-config.js";
import { stopSignal } from "./process-commands.js";
import { packagesToSend } from "./packages-to-send.js";
import { onWorkers } from "./remote-job.js";
import { planJob, type PlannedJob } from "./run-job.js";

/**
 * `millrace standalone-job`: a JobManager that runs one job and ends with it (Flink's Application mode). The job's program runs here, in a thread of
 * its own; its slots come from TaskManagers that are started separately. With high availability several of these processes run the same job: the program
 * goes on behind its `execute()` in the one that leads, and all end with the job.
 */
export async function standaloneJobCommand(request: JobRequest): Promise<number> {
  const config = await processConfig({ define: Object.fromEntries(Object.entries(request.config).map(([key, value]) => [key, String(value)])), configDir: request.configDir });
  const { log, files } = openProcessLogging(config, { kind: "jobmanager" });
  const planned = await plan(request, config, log);
  const { program } = planned;
  const isHighlyAvailable = config.get(HA_TYPE) !== "NONE";
  try {
    const application = await applicationJob(request, planned, log);
    let fail!: (error: Error) => void;
    const failed = new Promise<never>((_, reject) => (fail = reject));
    const jobManager = await startJobManager(config, { log, logs: files, onLeader: (leader) => application.leaderChanged(leader), fatal: fail });
    try {
      if (!isHighlyAvailable) application.leaderChanged(jobManager.leader());
      let isLeft = false;
      const stopped = stopSignal().then(async () => {
        if (!isHighlyAvailable) await application.cancel();
        isLeft = isHighlyAvailable;
      });
      const finished = followed(application, planned);
      await Promise.race([finished, failed, ...(isHighlyAvailable ? [stopped] : [])]);
      if (isLeft) log.write("info", "stopping; the job is left to the next leader");
      return exitCodes.finished;
    } finally {
      await jobManager.stop({ cancelJobs: !isHighlyAvailable });
    }
  } finally {
    await program.terminate();
  }
}

async function plan(request: JobRequest, config: Configuration, log: LogSink): Promise<PlannedJob> {
  const options = { args: request.args, config: onWorkers(jobPart(config)), ...(config.has(PARALLELISM) ? { parallelism: config.get(PARALLELISM) } : {}) };
  // All processes of the cluster must mean the same job.
  const jobId = config.get(HA_TYPE) === "NONE" ? undefined : nodeClusterEnv(log).sha256Hex(new TextEncoder().encode(`application ${config.get(HA_CLUSTER_ID)}`)).slice(0, 32);
  const planned = await planJob(request.job, options, { packages: packagesToSend(jobPart(config)), jobId });
  for (const warning of planned.program.warnings) log.write("warn", warning);
  return planned;
}

async function applicationJob(request: JobRequest, { artifact, program, jobGraph }: PlannedJob, log: LogSink): Promise<ApplicationJob> {
  const env = nodeClusterEnv(log);
  const bytes = await portableArtifact(artifact);
  return new ApplicationJob({
    clock: env.clock, artifact: bytes, submission: { jobGraph, artifact: env.sha256Hex(bytes), source: artifact.source, args: request.args },
    observer: {
      collected: (...batch) => program.collected(...batch),
      log: (level, line) => {
        if (level === "print") consoleLog.write(level, line);
      },
    },
  });
}

/** Lets the program go on once this process has led, and waits for both to end. */
async function followed(application: ApplicationJob, { program }: PlannedJob): Promise<void> {
  await application.started();
  program.attach(application);
  await application.getJobExecutionResult();
  await program.ended;
}
