import { readFile } from "node:fs/promises";
import { INSTALLED_LIBRARY } from "@millrace/graph";
import type { JobArtifact } from "./bundle-job.js";

/**
 * The content of an artifact for a cluster, in which `millrace` is whatever the process that runs it has installed.
 *
 * A job that imports `@millrace/…` packages, or other packages, names them by their path: they must be at the same place where it runs.
 */
export async function portableArtifact(artifact: JobArtifact): Promise<Uint8Array> {
  const text = await readFile(artifact.file, "utf8");
  const { library } = artifact;
  return new TextEncoder().encode(library === undefined ? text : text.replaceAll(JSON.stringify(library.millrace), JSON.stringify(INSTALLED_LIBRARY)));
}
