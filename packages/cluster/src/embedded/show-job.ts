import { REST_PORT } from "@millrace/core";
import type { LogSink } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import type { JobMaster } from "../job-master/job-master.js";
import { libraryVersion } from "./library-version.js";

/** Starts REST server and reporters for a job that asks for them; nothing of them is loaded for one that does not. */
export async function showJob(job: JobMaster, log: LogSink): Promise<{ readonly url: string | undefined } | undefined> {
  const { config } = job.view().jobGraph;
  if (!(REST_PORT.key in config) && !Object.keys(config).some((key) => key.startsWith("metrics.reporter."))) return undefined;
  const { startEmbeddedRest, wantsRest } = await import("../rest/embedded-rest.js");
  if (!wantsRest(config)) return undefined;
  const shown = await startEmbeddedRest(job, { log, clock: createNodeEnv().clock, version: libraryVersion() });
  for (const line of shown.descriptions) log.write("info", line);
  return shown;
}
