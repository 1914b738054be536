import { allOptions, isMillraceError, processOptions } from "@millrace/core";
import { consoleLog, type ClusterClient } from "@millrace/cluster/client";
import { portableArtifact, type JobArtifact } from "@millrace/client";
import type { JobClient } from "@millrace/graph";
import type { JobRequest } from "./command-line.js";
import { connectCluster, type ClusterRequest } from "./cluster-address.js";
import type { EarlyStart } from "./early-start.js";
import { packagesToSend } from "./packages-to-send.js";
import { planJob } from "./run-job.js";

export interface RemoteRequest extends JobRequest {
  readonly cluster: ClusterRequest;
  readonly detached: boolean;
  readonly cancelOnExit: boolean;
  readonly early?: EarlyStart | undefined;
}

/** A job that was submitted to a cluster. */
export interface RemoteJob {
  readonly client: JobClient;
  /** The program, too, has ended. */
  readonly ended: Promise<void>;
  lastCheckpointPath(): Promise<string | undefined>;
  /** Stops the program and leaves the cluster; the job goes on, unless it was to be cancelled on exit. */
  kill(): Promise<void>;
}

/** Plans a job here and submits it; with `detached`, nothing of it stays here. */
export async function submitRemote(request: RemoteRequest): Promise<RemoteJob> {
  const { cluster: { define = {}, ...named } } = request;
  // A cluster that is not there should be noticed before anything of the job runs.
  const connecting = connectCluster({ ...named, define: Object.fromEntries(Object.entries(define).filter(([key]) => isOfCluster(key))) });
  // It is waited for below, perhaps not before it has failed.
  connecting.catch(() => undefined);
  try {
    return await planAndSubmit(connecting, request);
  } catch (error) {
    // The job's bundle may be wrong before it is known whether there is a cluster.
    connecting.then((cluster) => cluster.close(), () => undefined);
    throw error;
  }
}

const ofJobs: ReadonlySet<string> = new Set(allOptions.flatMap(({ key, deprecatedKeys = [] }) => [key, ...deprecatedKeys]));
const ofProcesses: ReadonlySet<string> = new Set(processOptions.flatMap(({ key, deprecatedKeys = [] }) => [key, ...deprecatedKeys]));

/** Says how the cluster is found and spoken to; everything else goes with the job, and is checked there. */
function isOfCluster(key: string): boolean {
  return ofProcesses.has(key) && !ofJobs.has(key);
}

/** A TaskManager has no slots in the program's own thread. */
export function onWorkers(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...config, "slot.isolation": config["slot.isolation"] === "process" ? "process" : "thread" };
}

/** While the job is planned. Where blobs outlive the JobManager, one is stored only for a job whose plan is right, since it goes with its last job. */
async function uploadEarly(cluster: ClusterClient, artifact: JobArtifact): Promise<string | undefined> {
  return cluster.isHighlyAvailable ? undefined : cluster.upload(await portableArtifact(artifact));
}

async function planAndSubmit(connecting: Promise<ClusterClient>, request: RemoteRequest): Promise<RemoteJob> {
  const config = Object.fromEntries(Object.entries(request.config).filter(([key]) => !isOfCluster(key)));
  let uploading: Promise<string | undefined> | undefined;
  const { artifact, program, jobGraph } = await planJob(request.job, { args: request.args, config: onWorkers(config) }, {
    packages: packagesToSend(config), early: request.early, before: connecting, bundled: (bundle) => {
      uploading = connecting.then((cluster) => uploadEarly(cluster, bundle));
      // The job's plan may be wrong before it is known whether its bundle arrived.
      uploading.catch(() => undefined);
    },
  });
  const cluster = await connecting;
  try {
    for (const warning of program.warnings) consoleLog.write("warn", warning);
    const submit = async (uploaded?: Promise<string | undefined>): Promise<JobClient> => {
      const submission = { jobGraph, artifact: (await uploaded) ?? (await cluster.upload(await portableArtifact(artifact))), source: artifact.source, args: request.args, cancelOnExit: request.cancelOnExit };
      return cluster.submit(submission, request.detached ? undefined : { log: consoleLog, collected: (...batch) => program.collected(...batch) });
    };
    const client = await submit(uploading).catch((error: unknown) => {
      // The last job that needed the same artifact has ended in between.
      if (isMillraceError(error) && error.code === "BLOB_NOT_FOUND") return submit();
      throw error;
    });
    if (request.detached) await program.terminate();
    else program.attach(client);
    return {
      client, ended: program.ended, lastCheckpointPath: () => cluster.ask("lastCheckpointPath", { jobId: client.jobId }).catch(() => undefined),
      kill: async () => {
        cluster.close();
        await program.terminate();
      },
    };
  } catch (error) {
    await program.terminate();
    throw error;
  }
}
