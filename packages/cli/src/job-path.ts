import { fileURLToPath } from "node:url";

/** The path of a job that is named by its path or by its `file:` URL. */
export function jobPath(job: string): string {
  return job.startsWith("file:") ? fileURLToPath(job) : job;
}
